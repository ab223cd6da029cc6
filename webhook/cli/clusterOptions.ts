import { optionalText } from '../../settings/option.ts'

/** How a cluster is reached: apart from what reaches it, which takes long to load. */
export const CLUSTER_OPTIONS = {
  kubeconfig: optionalText({
    flag: 'kubeconfig',
    placeholder: 'FILE',
    help: 'how the cluster is reached; as kubectl finds it if not given (KUBECONFIG, ~/.kube/config)',
  }),
  context: optionalText({ flag: 'context', placeholder: 'NAME', help: 'the context to use of it' }),
}
