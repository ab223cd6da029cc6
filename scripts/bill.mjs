// What a bundle is made of, by what the bundler has put into it: a bill of materials in CycloneDX 1.6, and the licences' texts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Packages whose files are in the outputs of esbuild's metafile, sorted by name. */
export function findPackages({ outputs }) {
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs))
  const folders = new Set(inputs.flatMap((path) => findFolder(path) ?? []))
  const packages = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return { folder, name, version, license }
  })
  return packages.sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))
}

/** The innermost package: some hold a package.json without a name further in. */
function findFolder(path) {
  if (!path.includes('node_modules/')) return undefined
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version !== undefined)
      return folder
  }
  return undefined
}

/** Without a time or a serial number: the same bundle has the same bill. Source: https://cyclonedx.org/docs/1.6/json/ */
export function formatBill(program, version, packages) {
  const components = packages.map(({ name, version, license }) => ({
    type: 'library',
    'bom-ref': formatUrl(name, version),
    name,
    version,
    licenses: [/[ ()]/.test(license) ? { expression: license } : { license: { id: license } }],
    purl: formatUrl(name, version),
  }))
  const component = { type: 'application', 'bom-ref': program, name: program, version }
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component },
    components,
  }
  return `${JSON.stringify(bill, null, 2)}\n`
}

/** https://github.com/package-url/purl-spec: a scope's @ is escaped. */
const formatUrl = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`

/** The texts that the licences want to go along. */
export function formatLicences(packages) {
  return packages
    .map(({ folder, name, version, license }) => {
      const file = readdirSync(folder).find((file) => /^(licen[cs]e|copying)/i.test(file))
      const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`
      return `${name} ${version}: ${license}${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
