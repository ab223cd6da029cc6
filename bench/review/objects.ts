/** Deployments as charts make them, and bounds on them as iops-limit and as Gatekeeper have them. */

/** So many documents; every third Deployment asks for a limit of its own. */
export const deploymentsOf = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) => formatDeployment(first + index)).join('')

const formatDeployment = (number: number): string => `---
# Source: bench/templates/web-${number}.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${number}
  namespace: team
  labels: {app: web-${number}}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web-${number}
  template:
    metadata:
      labels:
        app: web-${number}
${number % 3 === 0 ? `      annotations:\n        iops-limit/read-iops: "${100 + (number % 900)}"  # measured\n` : ''}    spec:
      containers:
      - name: main
        image: registry.example.com/web:1.2.${number}
        args: ["--port=8080", "--verbose"]
        ports:
        - {containerPort: 8080, name: http}
        env:
        - name: MODE
          value: "production"
        resources:
          requests: {cpu: 100m, memory: 128Mi}
          limits: {memory: 256Mi}
      - name: sidecar
        image: registry.example.com/proxy:v1.30
        volumeMounts:
        - name: data
          mountPath: /data
      volumes:
      - name: data
        emptyDir: {}
`

export const POLICY = `apiVersion: policy.iops-limit/v1alpha1
kind: IOLimitPolicy
metadata: {name: bench}
spec:
  rules:
  - name: databases
    selector: {matchExpressions: [{key: app, operator: In, values: [pg, mysql]}]}
    default: {iops: 2000}
  - name: everything-else
    default: {iops: 500}
    min: {iops: 50}
    max: {iops: 1000}
`

/** The bounds alone: Gatekeeper's checks fill nothing in. */
export const CONSTRAINTS = `apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: iopsbounds}
spec:
  crd:
    spec:
      names: {kind: IopsBounds}
      validation:
        openAPIV3Schema:
          type: object
          properties: {min: {type: integer}, max: {type: integer}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package iopsbounds

      violation[{"msg": msg}] {
        value := to_number(input.review.object.spec.template.metadata.annotations[key])
        {"iops-limit/limit", "iops-limit/read-iops", "iops-limit/write-iops"}[key]
        not within(value)
        msg := sprintf("%v %v is out of bounds", [key, value])
      }

      within(value) {
        value >= input.parameters.min
        value <= input.parameters.max
      }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: IopsBounds
metadata: {name: bench}
spec:
  match: {kinds: [{apiGroups: [apps], kinds: [Deployment]}]}
  parameters: {min: 50, max: 1000}
`
