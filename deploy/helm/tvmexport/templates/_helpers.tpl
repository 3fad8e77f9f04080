{{- define "tvmexport.name" -}}
{{- .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-tvmexport" .Release.Name) (contains "tvmexport" .Release.Name)) | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "tvmexport.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "tvmexport.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "tvmexport.selector" -}}
app.kubernetes.io/name: tvmexport
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tvmexport.labels" -}}
{{ include "tvmexport.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Arguments: root, component. Only workers have an image of their own. */}}
{{- define "tvmexport.image" -}}
{{- $repository := ternary .root.Values.worker.image.repository .root.Values.image.repository (eq .component "worker") -}}
{{- if .root.Values.image.digest -}}
{{ $repository }}@{{ .root.Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The configuration: config, the tenants, and what the chart decides. */}}
{{- define "tvmexport.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.tenants -}}
{{- $tenants := dict -}}
{{- range .Values.tenants -}}
{{- if hasKey $tenants .name -}}{{- fail (printf "tenants: %s is listed twice" .name) -}}{{- end -}}
{{- $_ := set $tenants .name (omit . "name") -}}
{{- end -}}
{{- $_ := set $config "tenants" $tenants -}}
{{- end -}}
{{- if eq .Values.mode "serve" -}}
{{- $serve := deepCopy (get $config "serve" | default dict) -}}
{{- $_ := set $serve "listen" (printf "0.0.0.0:%d" (int .Values.serve.port)) -}}
{{- if .Values.serve.tls.existingSecret -}}
{{- $_ := set $serve "certificate" "/run/secrets/tls/tls.crt" -}}
{{- $_ := set $serve "key" "/run/secrets/tls/tls.key" -}}
{{- end -}}
{{- $_ := set $config "serve" $serve -}}
{{- $zone := ternary (printf "CRON_TZ=%s " .Values.timeZone) "" (ne .Values.timeZone "") -}}
{{- $_ := set $config "schedule" (print $zone .Values.schedule) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* What all pods share: sign-in, restricted security, volumes. Arguments: root, component, args, command, serves, job. */}}
{{- define "tvmexport.pod" -}}
{{- $ := .root -}}
metadata:
  labels:
    {{- include "tvmexport.selector" $ | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- if $.Values.workloadIdentity.enabled }}
    azure.workload.identity/use: "true"
    {{- end }}
    {{- with $.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "tvmexport.config" $ | sha256sum }}
    {{- with $.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "tvmexport.serviceAccount" $ }}
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 60
  {{- if .job }}
  restartPolicy: Never
  {{- end }}
  {{- with $.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ int $.Values.runAsUser }}
    runAsGroup: {{ int $.Values.runAsUser }}
    fsGroup: {{ int $.Values.runAsUser }}
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: tvmexport
      image: {{ include "tvmexport.image" . }}
      imagePullPolicy: {{ $.Values.image.pullPolicy }}
      {{- with .command }}
      command:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      args:
        {{- toYaml (concat .args (list "--config" "/etc/tvmexport/tvmexport.yaml" "--log-format" "json")) | nindent 8 }}
      env:
        - {name: TMPDIR, value: /tmp}
        {{- if .serves }}
        - {name: TVMEXPORT_SERVE_TOKEN_FILE, value: /run/secrets/serve/token}
        {{- end }}
        {{- with $.Values.credentials }}
        {{- if .existingSecret }}
        - {name: AZURE_CLIENT_ID, value: {{ .clientId | quote }}}
        - {name: AZURE_TENANT_ID, value: {{ .tenantId | quote }}}
        {{- if .clientSecretKey }}
        - {name: AZURE_CLIENT_SECRET_FILE, value: /run/secrets/credentials/{{ .clientSecretKey }}}
        {{- end }}
        {{- if .certificateKey }}
        - {name: AZURE_CLIENT_CERTIFICATE_PATH, value: /run/secrets/credentials/{{ .certificateKey }}}
        {{- end }}
        {{- end }}
        {{- end }}
        {{- if $.Values.pseudonymisation.existingSecret }}
        - {name: TVMEXPORT_PSEUDONYMISATION_KEY_FILE, value: /run/secrets/pseudonymisation/{{ $.Values.pseudonymisation.key }}}
        {{- end }}
        {{- if eq .component "worker" }}
        - {name: TVMEXPORT_FLEET_ENGINE, value: temporal}
        {{- with $.Values.worker.temporal }}
        - {name: TEMPORAL_ADDRESS, value: {{ .address | quote }}}
        - {name: TEMPORAL_NAMESPACE, value: {{ .namespace | quote }}}
        {{- if .tlsSecret }}
        - {name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /run/secrets/temporal/tls.crt}
        - {name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /run/secrets/temporal/tls.key}
        - {name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /run/secrets/temporal/ca.crt}
        {{- end }}
        {{- if .apiKeySecret }}
        - name: TEMPORAL_API_KEY
          valueFrom:
            secretKeyRef: {name: {{ .apiKeySecret }}, key: {{ .apiKeyKey }}}
        {{- end }}
        {{- end }}
        {{- end }}
        {{- with $.Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if .serves }}
      ports:
        - {name: http, containerPort: {{ int $.Values.serve.port }}}
      {{- $scheme := ternary "HTTPS" "HTTP" (ne $.Values.serve.tls.existingSecret "") }}
      livenessProbe:
        httpGet: {path: /healthz, port: http, scheme: {{ $scheme }}}
        timeoutSeconds: 5
      readinessProbe:
        httpGet: {path: /readyz, port: http, scheme: {{ $scheme }}}
        periodSeconds: 30
        timeoutSeconds: 5
      {{- end }}
      resources:
        {{- toYaml $.Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: config, mountPath: /etc/tvmexport, readOnly: true}
        - {name: spool, mountPath: /tmp}
        {{- if .serves }}
        - {name: serve-token, mountPath: /run/secrets/serve, readOnly: true}
        {{- if $.Values.serve.tls.existingSecret }}
        - {name: serve-tls, mountPath: /run/secrets/tls, readOnly: true}
        {{- end }}
        {{- end }}
        {{- range (include "tvmexport.secrets" $ | fromYamlArray) }}
        - {name: {{ .volume }}, mountPath: /run/secrets/{{ .volume }}, readOnly: true}
        {{- end }}
        {{- with $.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "tvmexport.name" $ }}}
    - name: spool
      emptyDir: {sizeLimit: {{ $.Values.spool.sizeLimit }}}
    {{- if .serves }}
    - name: serve-token
      secret: {secretName: {{ $.Values.serve.token.existingSecret }}, items: [{key: {{ $.Values.serve.token.key }}, path: token}], defaultMode: 0440}
    {{- if $.Values.serve.tls.existingSecret }}
    - name: serve-tls
      secret: {secretName: {{ $.Values.serve.tls.existingSecret }}, defaultMode: 0440}
    {{- end }}
    {{- end }}
    {{- range (include "tvmexport.secrets" $ | fromYamlArray) }}
    - name: {{ .volume }}
      secret: {secretName: {{ .secret }}, defaultMode: 0440}
    {{- end }}
    {{- with $.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end -}}

{{/* The existing secrets of all modes: name of the volume, name of the secret. */}}
{{- define "tvmexport.secrets" -}}
{{- $list := list -}}
{{- with .Values.credentials.existingSecret -}}{{- $list = append $list (dict "volume" "credentials" "secret" .) -}}{{- end -}}
{{- with .Values.tenantSecrets -}}{{- $list = append $list (dict "volume" "tenants" "secret" .) -}}{{- end -}}
{{- with .Values.pseudonymisation.existingSecret -}}{{- $list = append $list (dict "volume" "pseudonymisation" "secret" .) -}}{{- end -}}
{{- if eq .Values.mode "worker" -}}
{{- with .Values.worker.temporal.tlsSecret -}}{{- $list = append $list (dict "volume" "temporal" "secret" .) -}}{{- end -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}
