#!/bin/sh
# In the place of Flux's command line, whose module lacks the manifests that its releases carry: it prints them.
case "$1 ${2:-}" in
  'install --export') exec cat /install.yaml ;;
esac
echo "flux $*: this image of the lab knows only install --export" >&2
exit 1
