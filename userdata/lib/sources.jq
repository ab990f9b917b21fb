# Which of Flux' pinned sources to hold (suspend), which to let go, and which have not got what they are pinned to. Input: a List of
# HelmRepositories, HelmCharts and OCIRepositories; $names: the artifacts in source-controller's store, one a line. Output:
#
#   {changes: [{resource, name, patch}], pending: [{name, message}]}
#
#   source                        its content is as pinned, and in the store   otherwise
#   free                          hold it                                      leave it: Flux fetches
#   held by us for this very pin  leave it                                     free it, if its own content is not in the store
#   held by us for another pin    free it                                      free it
#   suspended by somebody         leave it                                     leave it
#
# A pin is the source's specification; of a repository with the charts that are wanted of it, since its index is of use for them
# alone. HelmCharts are never held: of one that has what it is pinned to, source-controller reads nothing but its store.
#
# Pending is what has no content at all, or was changed since source-controller last came to an end with it. One whose registry
# merely does not answer today is not: its content is there.

def annotation: "drowse.dev/held-for";
def resource: {HelmRepository: "helmrepositories", OCIRepository: "ocirepositories", HelmChart: "helmcharts"}[.kind] + ".source.toolkit.fluxcd.io";
def pin: .spec | del(.suspend);

($names | split("\n") | map(select(. != "") | {key: ., value: true}) | from_entries) as $stored
| def stored: .status.artifact.path // "" | in($stored);
  def fetched: stored and .status.observedGeneration == .metadata.generation
    and any(.status.conditions[]?; .type == "Ready" and .status == "True");
  def ready: [.status.conditions[]? | select(.type == "Ready")][0];
  [.items[] | select(.kind == "HelmChart")] as $charts
| [.items[]
    | . as $source
    | [$charts[] | select($source.kind == "HelmRepository"
        and .spec.sourceRef.kind == "HelmRepository" and .spec.sourceRef.name == $source.metadata.name)] as $wanted
    | ([pin] + ($wanted | sort_by(.metadata.name) | map([.metadata.name, pin])) | tojson) as $pin
    | (.metadata.annotations[annotation] // null) as $held
    | {kind, name: .metadata.name, resource: resource, $pin, said: (ready.message // "nothing"),
        becomes: (
          if .kind == "HelmChart" then "as it is"
          elif .spec.suspend == true then
            if $held != null and ($held != $pin or (stored | not)) then "free" else "as it is" end
          elif fetched and all($wanted[]; fetched) then "held"
          else "as it is" end),
        settled: (.status.artifact != null and .status.observedGeneration == .metadata.generation)}]
| {
    changes: [.[] | select(.becomes != "as it is")
      | (if .becomes == "held" then {mark: .pin, suspend: true} else {mark: null, suspend: null} end) as $to
      | {resource, name, patch: ({metadata: {annotations: {(annotation): $to.mark}}, spec: {suspend: $to.suspend}} | tojson)}],
    pending: [.[] | select(.becomes == "free" or (.settled | not)) | {name: "\(.kind)/\(.name)", message: .said[:300]}]
  }
