"""How long things take on AWS, in simulated seconds; DROWSE_SPEEDUP divides them.

Each figure says where it is from. "assumed" ones are round numbers of a plausible size: nothing in drowse may depend
on them, and the fault tests stretch them.
"""

from __future__ import annotations

#: RunInstances until the state is `running`. Assumed from EC2 consoles: 3 to 10 s.
INSTANCE_PENDING = 5.0
#: TerminateInstances until `terminated`, with its volumes let go. Assumed: 20 to 60 s on small Linux instances.
INSTANCE_SHUTTING_DOWN = 30.0
#: StopInstances until `stopped`; stop and start together take about 13 s (published EC2 measurements).
INSTANCE_STOPPING = 8.0
#: From a spot interruption notice to the interruption: two minutes (EC2's documentation).
SPOT_NOTICE = 120.0
#: A network load balancer from `provisioning` to `active`: AWS's documentation says minutes. Assumed: two.
LOAD_BALANCER_PROVISIONING = 120.0
#: First health checks of a target: 3 checks at the least interval of 10 s (ELB's documentation).
TARGET_FIRST_CHECKS = 30.0
#: Auto Scaling notices an instance that died behind its back, then replaces it. Assumed: a minute.
GROUP_HEALTH_CHECK = 60.0
#: Auto Scaling tries a failed launch again. Assumed: half a minute, later less often.
GROUP_LAUNCH_RETRY = 30.0
#: The longest pause between such tries. Assumed.
GROUP_LAUNCH_RETRY_AT_MOST = 300.0

#: From `running` to cloud-init's user data: kernel, systemd, network. Assumed for Ubuntu 24.04 on t3: 20 s.
BOOT = 20.0
#: Finding, attaching and mounting the state volume. Assumed: EBS attaches in 2 to 5 s.
ATTACH_VOLUME = 4.0
#: Between two looks at a volume that is attached elsewhere.
VOLUME_POLL = 2.0
#: Between two looks whether a dying predecessor still has the fixed address, and how long that may take (address.sh).
ADDRESS_POLL = 5.0
ADDRESS_AT_MOST = 300.0
#: Containerd and packages of a baked image; a bare one takes minutes more. Assumed.
SEAT_RUNTIME = 10.0
#: The same on a GPU node: driver, toolkit, a GPU that answers. Assumed: 40 s.
POOL_RUNTIME = 40.0
#: `kubeadm init` over existing data: 5.8 s (measured with the real kubeadm).
SEAT_RESTORE = 5.8
#: The first `kubeadm init`. Measured at a few seconds more than a restore with images local; assumed: 20 s.
SEAT_FIRST_INIT = 20.0
#: A further seat's `join --control-plane`: about a minute, because of etcd's learner (measured with the real kubeadm).
SEAT_JOIN = 60.0
#: Between two looks of a pool node at its join parameter (the node scripts' own interval).
TOKEN_POLL = 2.0
#: `kubeadm join` 1.3 s, then Ready 2.2 s later (measured with the real kubeadm): 3.5 s.
KUBELET_JOIN = 3.5
#: A node goes NotReady after its kubelet fell silent: kube-controller-manager's node-monitor-grace-period, 40 s.
NODE_GRACE = 40.0

#: SSM delivers a command to its agent. Assumed: one to two seconds.
COMMAND_DELIVERY = 1.5
#: `kubeadm token create`: 0.1 s (measured), and one PutParameter.
MINT_TOKEN = 1.0
#: Draining a node whose pods stop within their grace period of 30 s; ten nodes at once (drain-nodes.sh). Assumed.
DRAIN_NODE = 15.0
DRAINED_AT_ONCE = 10
#: `etcdctl snapshot save`, status check and upload of a small database. Assumed.
SNAPSHOT = 5.0
#: Downloading a small snapshot, unsealing it, rebuilding data from it. Assumed.
FETCH_SNAPSHOT = 10.0
#: smoke-test.sh, most of it the start of a pod. Assumed.
SMOKE_TEST = 20.0
#: collect-diagnostics.sh. Assumed.
COLLECT_DIAGNOSTICS = 15.0
#: Two queries of Prometheus, and lists of Jobs and pods. Assumed.
MEASURE_ACTIVITY = 3.0
#: A list of the nodes and a patch for each (uncordon-nodes.sh). Assumed.
UNCORDON_NODES = 2.0
#: Deleting Node objects and VolumeAttachments. Assumed.
DELETE_STALE_NODES = 1.5
#: Calico and Flux on a cluster that has neither: manifests applied, images pulled. Assumed.
INSTALL_NETWORK = 45.0
#: The same where both are already there.
CHECK_NETWORK = 3.0
#: reconcile-platform.sh looks again every 5 s, for 240 s at most.
RECONCILE_POLL = 5.0
RECONCILE_AT_MOST = 240.0
#: Flux reconciles a platform of which it has every chart: measured with the real script on a settled cluster of 1.36.2.
RECONCILE = 8.0
#: Flux installs the platform for the first time: charts, images, certificates. Assumed.
RECONCILE_FIRST = 90.0
