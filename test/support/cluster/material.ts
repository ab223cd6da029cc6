/** Keys, certificates and users of a test's control plane, and its flags. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createKeys, LEAF_BITS } from '../../../certs/keys.ts'
import { createTestCertificates } from '../https/certificates.ts'

export interface Material {
  /** PEM. */
  readonly ca: string
  /** Of the administrator. */
  readonly token: string
}

/** Everything that {@link serverFlags} names, as files of the folder. */
export async function writeMaterial(folder: string): Promise<Material> {
  const { ca, cert, key } = await createTestCertificates()
  const { publicKey, privateKey } = await createKeys(LEAF_BITS)
  const token = randomBytes(16).toString('hex')
  const files = {
    'server.crt': cert,
    'server.key': key,
    'sa.pub': publicKey,
    'sa.key': privateKey,
    'tokens.csv': `${token},admin,admin,system:masters\n`,
  }
  await Promise.all(
    Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content, { mode: 0o600 })),
  )
  return { ca, token }
}

/** A control plane with RBAC and every admission plugin but ServiceAccount, since no controller makes the accounts. */
export const serverFlags = (folder: string, port: number, etcd: string): readonly string[] => [
  `--etcd-servers=${etcd}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  `--tls-cert-file=${join(folder, 'server.crt')}`,
  `--tls-private-key-file=${join(folder, 'server.key')}`,
  `--token-auth-file=${join(folder, 'tokens.csv')}`,
  '--authorization-mode=RBAC',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${join(folder, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
  '--service-cluster-ip-range=10.96.0.0/16',
  '--disable-admission-plugins=ServiceAccount',
  '--allow-privileged=true',
  '--profiling=false',
]

export const formatKubeconfig = (origin: string, { ca, token }: Material): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: { server: origin, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
  })
