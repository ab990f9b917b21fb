# What in a cluster names an instance that is gone. Reads the List of its Nodes, VolumeAttachments, Pods and Leases; prints what
# lib/stale.sh deletes or frees, an empty list where there is nothing:
#
#   {nodes: [name], attachments: [name], pods: List, leases: List}
#
#   $ARGS.positional  IDs of the instances that run
#   $self   ID of this one, with its host name in $host
#   $since  when this instance last stopped its Kubernetes, or empty; nothing that it still runs renewed a lease before
#   $alone  "true" if this is the only seat: before $since nobody could renew any lease
#
# A leader lease is freed if
#   its holder                                         and it was renewed
#   is on a gone node, and on no living one            at any time
#   is on this node (its host, or a pod on it)         before $since
#   is any scheduler or controller manager, and alone  before $since
# What is freed keeps its resourceVersion: a holder that renews it meanwhile keeps it.

# Who a component says it is: its host's or its pod's name, alone or with something of its own behind.
def held_by($names): . as $holder
  | any($names[]; . as $name | $holder == $name or ($holder | startswith($name + "_")) or ($holder | startswith($name + "-external-")));

# Names that a host may have: the node's, what EC2 calls an instance by its address, and what the cloud controller wrote.
def host_names: [.metadata.name, (.status.addresses[]? | .address, (select(.type == "InternalIP") | "ip-" + (.address | gsub("[.]"; "-"))))];
def names_of($nodes; $pods): [($nodes[] | host_names[]), ($pods[].metadata.name)];
def is_live: IN($ARGS.positional[]);
def list: {apiVersion: "v1", kind: "List", items: .};

(.items | group_by(.kind) | map({key: .[0].kind, value: .}) | from_entries) as $all
| ($all.Node // []) as $nodes
| ($all.Pod // [] | map(select((.spec.nodeName // "") != ""))) as $pods
| ($nodes | map(select(.metadata.name | is_live | not))) as $gone
| ($pods | map(select(.spec.nodeName | is_live | not))) as $dead
| names_of($gone; $dead) as $deadNames
| names_of($nodes - $gone; $pods - $dead) as $livingNames
| ([$self, $host] + [$pods[] | select(.spec.nodeName == $self) | .metadata.name]) as $own
| {
    nodes: [$gone[].metadata.name],
    attachments: [$all.VolumeAttachment[]? | select(.spec.nodeName | is_live | not) | .metadata.name],
    pods: [$dead[] | {apiVersion: "v1", kind: "Pod", metadata: (.metadata | {name, namespace})}] | list,
    leases: [$all.Lease[]?
      | select(.metadata.namespace != "kube-node-lease")
      | (.spec.holderIdentity // "") as $holder
      | ($since != "" and (.spec.renewTime // "") < $since) as $before
      | select($holder != "" and (
          ($holder | held_by($deadNames) and (held_by($livingNames + [$self, $host]) | not))
          or ($before and ($holder | held_by($own)))
          or ($before and $alone == "true" and .metadata.namespace == "kube-system"
            and (.metadata.name | IN("kube-scheduler", "kube-controller-manager")))))
      # As its holder would have given it back.
      | del(.spec.holderIdentity) | .spec.leaseDurationSeconds = 1] | list
  }
