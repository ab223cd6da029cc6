/** The three programs: the names of package.json's `bin`, and the file in which each one starts. */
export const ENTRY_POINTS = {
  'iops-limit': 'webhook/cli/main.ts',
  'iops-limit-webhook': 'webhook/main.ts',
  'iops-limit-enforcer': 'enforcer/main.ts',
}

export const outputOf = (name) => `dist/${name}.js`

/** Major version; `engines` of package.json says the same. */
export const OLDEST_NODE = 24
