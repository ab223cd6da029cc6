/**
 * Which cgroup directories belong to which pod and container, by their names alone: the kubelet's root, its driver, the
 * runtime and the QoS class need not be known.
 * Source: k8s.io/kubernetes/pkg/kubelet/cm (pod_container_manager_linux.go, cgroup_manager_linux.go) and the runtimes' scope names.
 */

/** `podUID` (cgroupfs driver) or `PARENT-podU_I_D.slice` (systemd driver, dashes of the uid as underscores). */
const POD = /^(?:pod([0-9A-Za-z-]+)|(?:.+-)?pod([0-9A-Za-z_]+)\.slice)$/

/** The uid in a directory's name, with dashes; undefined where the name cannot be a pod's. */
export function findPodUid(directory: string): string | undefined {
  const [, plain, escaped] = POD.exec(directory) ?? []
  return plain ?? escaped?.replaceAll('_', '-')
}

/**
 * A pod by its name's form alone, listed or not: uids of the API server are UUIDs, those of static pods 32 hex digits. Other
 * names that begin alike (`pods`, `podman.slice`) may hold the whole tree.
 */
export const isPodUid = (uid: string): boolean =>
  /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/.test(uid)

/** `kubepods`, `kubelet-kubepods-burstable.slice`, `kubepods/besteffort`: where the kubelet makes pods' directories. */
export const isPodParent = (path: string): boolean =>
  /(?:^|[/-])kubepods(?:[/-](?:burstable|besteffort))?(?:\.slice)?$/.test(path)

/** `ID`, `RUNTIME-ID` or `RUNTIME-ID.scope`; CRI-O's monitor (`crio-conmon-ID`) is no container. */
const CONTAINER = /^(?:[a-z]+-(?:containerd-)?)?([0-9a-f]{64})(?:\.scope)?$/

/** The container's id in a directory's name; undefined where the name is no container's. */
export function findContainerId(directory: string): string | undefined {
  return CONTAINER.exec(directory)?.[1]
}
