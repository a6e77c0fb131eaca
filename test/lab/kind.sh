#!/bin/sh
# Prints which kernel the lab uses on this machine: `host` (its own, in a fresh network namespace) or `uml`.

own_kernel_has_ipvs() {
  [ "$(id -u)" = 0 ] || return 1
  # Asked before it is loaded: a machine that cannot have it is left as it is.
  [ -e /proc/net/ip_vs ] || modprobe -n -q ip_vs 2>/dev/null || return 1
  unshare --net --mount --pid --fork true 2>/dev/null || return 1
  [ -e /proc/net/ip_vs ] || modprobe -q ip_vs 2>/dev/null || return 1
  unshare --net cat /proc/net/ip_vs >/dev/null 2>&1
}

PATH=$PATH:/usr/sbin:/sbin
if own_kernel_has_ipvs; then echo host; else echo uml; fi
