{{- define "iops-limit.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* Room is left for "-webhook-tls", the longest of the endings. */ -}}
{{- define "iops-limit.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "iops-limit.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "iops-limit.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "iops-limit.webhook.name" -}}
{{ include "iops-limit.fullname" . }}-webhook
{{- end }}

{{- define "iops-limit.enforcer.name" -}}
{{ include "iops-limit.fullname" . }}-enforcer
{{- end }}

{{- /* Of the Lease by which one replica advises. */ -}}
{{- define "iops-limit.advisor.name" -}}
{{ include "iops-limit.fullname" . }}-advisor
{{- end }}

{{- /* Leases that the webhook holds. */ -}}
{{- define "iops-limit.leases" -}}
{{- $names := list }}
{{- if .Values.webhook.backfill.enabled }}{{ $names = append $names (include "iops-limit.webhook.name" .) }}{{ end }}
{{- if .Values.advisor.enabled }}{{ $names = append $names (include "iops-limit.advisor.name" .) }}{{ end }}
{{- printf "[%s]" (join ", " $names) }}
{{- end }}

{{- define "iops-limit.enforcer.selector" -}}
app.kubernetes.io/name={{ include "iops-limit.name" . }},app.kubernetes.io/instance={{ .Release.Name }},app.kubernetes.io/component=enforcer
{{- end }}

{{- /* Whom tokens for the enforcers' pages must be made out to, as JSON. */ -}}
{{- define "iops-limit.audiences" -}}
{{- .Values.enforcer.api.audiences | default (ternary (list "iops-limit") list .Values.advisor.enabled) | toJson }}
{{- end }}

{{- define "iops-limit.labels" -}}
app.kubernetes.io/name: {{ include "iops-limit.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Of one component: `dict "context" . "component" "webhook"`. */ -}}
{{- define "iops-limit.selectorLabels" -}}
app.kubernetes.io/name: {{ include "iops-limit.name" .context }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "iops-limit.componentLabels" -}}
{{ include "iops-limit.labels" .context }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* `dict "context" . "image" .Values.webhook.image`. */ -}}
{{- define "iops-limit.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .context.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* Namespaces that no webhook of ours ever sees, whatever the values say: what has to run for the webhook to run. */ -}}
{{- define "iops-limit.neverNamespaces" -}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values:
  {{- range include "iops-limit.unseenNamespaces" . | fromJsonArray }}
  - {{ . }}
  {{- end }}
{{- end }}

{{- /* As JSON. */ -}}
{{- define "iops-limit.unseenNamespaces" -}}
{{- concat (list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace) .Values.webhook.exemptNamespaces | uniq | toJson }}
{{- end }}

{{- /* What the program itself exempts: the same, and what the values name. It adds its own namespace. */ -}}
{{- define "iops-limit.exemptNamespaces" -}}
{{ join "," (concat (list "kube-system" "kube-public" "kube-node-lease") .Values.webhook.exemptNamespaces | uniq) }}
{{- end }}

{{- define "iops-limit.tlsSecret" -}}
{{- if eq .Values.certificates.mode "provided" -}}
{{ required "certificates.provided.secretName: name the Secret that holds the certificate, where certificates.mode is provided" .Values.certificates.provided.secretName }}
{{- else -}}
{{ include "iops-limit.webhook.name" . }}-tls
{{- end }}
{{- end }}

{{- /* A CEL expression: whether KEY is an annotation of ours, or an older one that admission rewrites (contract/aliases.ts). */ -}}
{{- define "iops-limit.cel.isOurs" -}}
(key.startsWith('iops-limit/') || key.startsWith('container.iops-limit/') || key.startsWith('kubediskguard.io/') || key.startsWith('io-limit/') || key.startsWith('nvme-'))
{{- end }}

{{- /*
Whether a request on a pod can change its limits: every CREATE of a pod, an UPDATE of it or of its status that changes its labels or one
of our annotations, and a Binding that carries one of our annotations. A new image counts only where containers are exempt: the image
may be why. (No update can rename a container, or add one that is not ephemeral.)
*/ -}}
{{- define "iops-limit.cel.changesLimits" -}}
request.resource.resource == 'bindings' || request.?subResource.orValue('') == 'binding' ?
object.?metadata.?annotations.orValue({}).exists(key, {{ include "iops-limit.cel.isOurs" . }}) :
request.operation != 'UPDATE' ||
object.?metadata.?labels.orValue({}) != oldObject.?metadata.?labels.orValue({}) ||
object.?metadata.?annotations.orValue({}).exists(key, {{ include "iops-limit.cel.isOurs" . }} &&
!(key in oldObject.?metadata.?annotations.orValue({}) && oldObject.metadata.annotations[key] == object.metadata.annotations[key])) ||
oldObject.?metadata.?annotations.orValue({}).exists(key, {{ include "iops-limit.cel.isOurs" . }} && !(key in object.?metadata.?annotations.orValue({}))) ||
('iops-limit/exempt-containers' in object.?metadata.?annotations.orValue({}) && (
object.spec.containers.map(c, c.?image.orValue('')) != oldObject.spec.containers.map(c, c.?image.orValue('')) ||
object.spec.?initContainers.orValue([]).map(c, c.?image.orValue('')) != oldObject.spec.?initContainers.orValue([]).map(c, c.?image.orValue(''))))
{{- end }}

{{- define "iops-limit.podRules" -}}
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods]
  operations: [CREATE, UPDATE]
  scope: Namespaced
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods/status]
  operations: [UPDATE]
  scope: Namespaced
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods/binding, bindings]
  operations: [CREATE]
  scope: Namespaced
{{- end }}

{{- /* The name by which the API server knows the webhook, its back-fill and its advisor. */ -}}
{{- define "iops-limit.self" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "iops-limit.webhook.name" . }}
{{- end }}

{{- /*
Namespaces that have opted in. A selector joins its conditions by "and", so each label has an entry of its own, which excludes the
namespaces of the one before: no request is sent twice. `dict "context" . "label" "warn"`.
*/ -}}
{{- define "iops-limit.optedIn" -}}
{{- $labels := list "enforce" "warn" "audit" -}}
matchExpressions:
{{ include "iops-limit.neverNamespaces" .context }}
{{- range $labels }}
{{- if eq . $.label }}
- key: iops-limit/{{ . }}
  operator: Exists
{{- break }}
{{- end }}
- key: iops-limit/{{ . }}
  operator: DoesNotExist
{{- end }}
{{- end }}

{{- define "iops-limit.clientConfig" -}}
service:
  name: {{ include "iops-limit.webhook.name" .context }}
  namespace: {{ .context.Release.Namespace }}
  path: {{ .path }}
  port: 443
{{- if eq .context.Values.certificates.mode "provided" }}
caBundle: {{ required "certificates.provided.caBundle: give the CA of the certificate, where certificates.mode is provided" .context.Values.certificates.provided.caBundle }}
{{- end }}
{{- end }}

{{- /* Blocks of addresses as `from` or `to`; nothing, which is any, where there is none. */ -}}
{{- define "iops-limit.peers" -}}
{{- if .cidrs }}
{{ .key }}:
{{- range .cidrs }}
- ipBlock:
    cidr: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What the schema cannot say: values that do not go together. */ -}}
{{- define "iops-limit.check" -}}
{{- with .Values.webhook }}
{{- $stopping := add (trimSuffix "s" .shutdownDelay | int) (trimSuffix "s" .shutdownTimeout | int) }}
{{- if le (int .terminationGracePeriodSeconds) (int $stopping) }}
{{- fail (printf "webhook.terminationGracePeriodSeconds: %d is not more than shutdownDelay and shutdownTimeout together, which are %d: raise it" (int .terminationGracePeriodSeconds) $stopping) }}
{{- end }}
{{- if eq (int .port) (int .metricsPort) }}
{{- fail (printf "webhook.port and webhook.metricsPort are both %d: give them different ones" (int .port)) }}
{{- end }}
{{- end }}
{{- if and .Values.advisor.enabled .Values.enforcer.enabled (not .Values.enforcer.api.enabled) }}
{{- fail "advisor.enabled: the enforcers tell nobody what they see, since enforcer.api.enabled is false: set it" }}
{{- end }}
{{- with .Values.certificates.certManager }}
{{- if ge (trimSuffix "h" .renewBefore | int) (trimSuffix "h" .duration | int) }}
{{- fail (printf "certificates.certManager.renewBefore: %s is not less than duration, which is %s: lower it" .renewBefore .duration) }}
{{- end }}
{{- end }}
{{- end }}
