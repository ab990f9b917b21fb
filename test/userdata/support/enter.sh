#!/bin/sh
#
# enter.sh ROOT FSTAB COMMAND…: runs the command with ROOT as its root, in a mount namespace that the caller made. FSTAB says what
# of the host is seen there (see Sandbox.mounts).
set -eu
root=$1
mount --all --fstab "$2"
shift 2
exec chroot "${root}" "$@"
