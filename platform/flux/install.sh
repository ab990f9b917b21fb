#!/bin/sh
# Runs in the Job flux-installer: Flux's own manifests of this version, with the patches beside this file, onto the cluster.
# Safe to run again: server-side apply of the same is no change.
set -eu
mkdir /tmp/flux
cp /etc/flux-installer/kustomization.yaml /tmp/flux/
# The command line carries its version's manifests; nothing is downloaded.
flux install --export --components=source-controller,kustomize-controller,helm-controller --network-policy=false >/tmp/flux/install.yaml
kubectl apply --server-side --force-conflicts --field-manager=flux-installer --kustomize /tmp/flux
for controller in source-controller kustomize-controller helm-controller; do
  kubectl --namespace flux-system rollout status "deployment/${controller}" --timeout=240s
done
