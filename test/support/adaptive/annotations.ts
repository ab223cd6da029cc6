/** Annotations of a pod that the advisor comes by. */

type Texts = Readonly<Record<string, string>>

/** As this policy and rule (`gold/batch`), whose default is 2000 operations a second either way, admit it. */
export const admittedBy = (policy: string): Texts => ({
  'iops-limit/policy': policy,
  'iops-limit/defaulted': 'read-iops,write-iops',
  'iops-limit/read-iops': '2000',
  'iops-limit/write-iops': '2000',
})

/** Once the advisor has imposed 500 writes a second, with this note. */
export const imposedOn = (admitted: Texts, note: string): Texts => ({
  ...admitted,
  'iops-limit/defaulted': 'read-iops',
  'iops-limit/write-iops': '500',
  'iops-limit/adapted': note,
})
