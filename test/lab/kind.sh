#!/bin/sh
# kind.sh [nftables]: prints which kernel the lab uses on this machine: `host` (its own, in a fresh network namespace)
# where that one serves, else `uml`, or `qemu` where nftables is asked for too.

own_kernel_has_ipvs() {
  [ "$(id -u)" = 0 ] || return 1
  # Asked before it is loaded: a machine that cannot have it is left as it is.
  [ -e /proc/net/ip_vs ] || modprobe -n -q ip_vs 2>/dev/null || return 1
  unshare --net --mount --pid --fork true 2>/dev/null || return 1
  [ -e /proc/net/ip_vs ] || modprobe -q ip_vs 2>/dev/null || return 1
  unshare --net cat /proc/net/ip_vs >/dev/null 2>&1
}

own_kernel_has_nftables() {
  if command -v nft >/dev/null; then
    unshare --net nft 'add table inet lab; add chain inet lab nat { type nat hook output priority -101; };
      add rule inet lab nat fib daddr type local tcp dport 80 dnat ip to 192.0.2.1' 2>/dev/null
  else
    modprobe -n -q -a nf_tables nft_chain_nat nft_nat nft_masq nft_fib_inet 2>/dev/null
  fi
}

PATH=$PATH:/usr/sbin:/sbin
case ${1-} in
  '') if own_kernel_has_ipvs; then echo host; else echo uml; fi ;;
  nftables) if own_kernel_has_ipvs && own_kernel_has_nftables; then echo host; else echo qemu; fi ;;
  *)
    echo "usage: $0 [nftables]" >&2
    exit 2
    ;;
esac
