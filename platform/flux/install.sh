#!/bin/sh
# Runs in the Job flux-installer: Flux's own manifests of this version, with the patches beside this file, onto the cluster.
# Safe to run again: each attempt starts with an empty folder, and server-side apply of the same is no change. What it prints
# last is what the Job is known by when it fails (terminationMessagePolicy in installer.yaml): the cause, then the pods.
set -eu
here=${0%/*}
work=${TMPDIR:-/tmp}/flux
rm -rf "${work}"
mkdir "${work}"
cp "${here}/kustomization.yaml" "${work}/"
# The command line carries its version's manifests; nothing is downloaded.
flux install --export --components=source-controller,kustomize-controller,helm-controller --network-policy=false >"${work}/install.yaml"
# Its list of all that it applied would push the cause out of the few lines that are kept.
kubectl apply --server-side --force-conflicts --field-manager=flux-installer --kustomize "${work}" >"${work}/applied"
for controller in source-controller kustomize-controller helm-controller; do
  kubectl --namespace flux-system rollout status "deployment/${controller}" --timeout=240s || {
    kubectl --namespace flux-system get pods >&2 || true
    exit 1
  }
done
