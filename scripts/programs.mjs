/** The three programs: the names of package.json's `bin`, and the file in which each one starts. */
export const ENTRY_POINTS = {
  'iops-limit': 'webhook/cli/main.ts',
  'iops-limit-webhook': 'webhook/main.ts',
  'iops-limit-enforcer': 'enforcer/main.ts',
}

export const outputOf = (name) => `dist/${name}.js`

/** CycloneDX, of what is in the bundle. */
export const billOf = (name) => `dist/${name}.cdx.json`

export const licencesOf = (name) => `dist/${name}.licences.txt`

/** Major version; `engines` of package.json says the same. */
export const OLDEST_NODE = 24
