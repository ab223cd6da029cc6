// A module of Pepr as its controller runs it behind the store's arrival: express, a capability that sets one annotation, its own log.
// Usage: PEPR_API_PATH=… SSL_KEY_PATH=… SSL_CERT_PATH=… KUBECONFIG=… node server.mjs PORT
import { a, Capability, PeprModule } from 'pepr'

const capability = new Capability({ name: 'limits', description: 'sets one annotation', namespaces: [] })
capability
  .When(a.Pod)
  .IsCreated()
  .Mutate((pod) => pod.SetAnnotation('iops-limit/read-iops', '500'))

const pepr = { uuid: 'bench', onError: 'reject', alwaysIgnore: { namespaces: [] } }
new PeprModule({ description: 'bench', pepr }, [capability], { deferStart: true }).start(
  Number(process.argv[2]),
)
