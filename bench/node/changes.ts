/**
 * Runs on the machine: changes an annotation of a pod again and again, and prints how many milliseconds lie between the API
 * server's answer and the kernel's io.max, a line of JSON each. Usage: node changes.ts NAMESPACE POD UID COUNT
 */
import { globSync, readFileSync, watch } from 'node:fs'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

const [namespace = '', pod = '', uid = '', count = '0'] = process.argv.slice(2)
const [file = ''] = globSync(`/sys/fs/cgroup/kubepods.slice/**/*pod${uid.replaceAll('-', '_')}.slice/io.max`)
const [token = ''] = readFileSync('/etc/kubernetes/tokens.csv', 'utf8').split(',', 1)
const agent = new Agent({ keepAlive: true, ca: readFileSync('/etc/kubernetes/ca.crt') })

function annotate(value: string): Promise<number> {
  const body = JSON.stringify({ metadata: { annotations: { 'iops-limit/read-iops': value } } })
  return new Promise((resolve, reject) => {
    const sent = request(
      `https://127.0.0.1:6443/api/v1/namespaces/${namespace}/pods/${pod}`,
      {
        agent,
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' },
      },
      (answer) => {
        const at = performance.now()
        text(answer).then(
          (words) => (answer.statusCode === 200 ? resolve(at) : reject(new Error(words))),
          reject,
        )
      },
    )
    sent.on('error', reject).end(body)
  })
}

const LONGEST = 60_000

/** Undefined where it does not come. */
async function change(value: string): Promise<number | undefined> {
  const limited = Promise.withResolvers<number>()
  const look = (): void => {
    if (readFileSync(file, 'utf8').includes(`riops=${value} `)) limited.resolve(performance.now())
  }
  const watcher = watch(file, look)
  const answered = await annotate(value)
  look()
  const at = await Promise.race([limited.promise, sleep(LONGEST, undefined)])
  watcher.close()
  return at === undefined ? undefined : Math.max(0, at - answered)
}

for (let index = 0; index < Number(count); index++) {
  const milliseconds = await change(String(100 + (index % 50)))
  process.stdout.write(`${JSON.stringify({ milliseconds: milliseconds ?? null })}\n`)
  await sleep(200)
}
agent.destroy()
