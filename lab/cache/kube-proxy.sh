#!/bin/sh
# kube-proxy of the lab: the size of the connection table belongs to the whole machine, and no node may set it.
for argument in "$@"; do
  case ${argument} in
    --config=*) configuration=${argument#--config=} ;;
  esac
done
sed -e 's/maxPerCore: .*/maxPerCore: 0/' -e 's/tcpEstablishedTimeout: .*/tcpEstablishedTimeout: 0s/' \
  -e 's/tcpCloseWaitTimeout: .*/tcpCloseWaitTimeout: 0s/' "${configuration}" >/tmp/config.conf
for argument in "$@"; do
  shift
  case ${argument} in
    --config=*) set -- "$@" --config=/tmp/config.conf ;;
    *) set -- "$@" "${argument}" ;;
  esac
done
exec /usr/local/lib/kube-proxy "$@"
