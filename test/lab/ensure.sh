#!/bin/sh
# ensure.sh TASK [ARGS…]: installs what the task needs and does not find, then runs it. Behind `npm start` (start),
# `npm test` (test), `npm run test:long` (long), `npm run test:kernels` (kernels), `npm run test:arm64` (arm64), `npm run bench` (bench) and .ci/run (ci); `beside` is a part of `test`.
# Outside the checkout it touches only Debian packages.
set -eu

cd "$(dirname "$0")/../.."
promtool=$PWD/node_modules/.cache/promtool
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/lib/qemu:$promtool
task=${1:?expected start, test, long, kernels, arm64, bench or ci}
shift
node=node_modules/.bin/node

say() {
  echo "marathon-ipvs: $*" >&2
}

# quietly COMMAND…: shows what it printed only where it fails.
quietly() {
  output=$(mktemp)
  status=0
  "$@" >"$output" 2>&1 </dev/null || status=$?
  [ $status = 0 ] || cat "$output" >&2
  rm -f "$output"
  return $status
}

node_is_ours() {
  case $("$node" --version 2>/dev/null) in v24.*) true ;; *) false ;; esac
}

install_node_modules() {
  # npm writes that file at the end of each installation.
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say 'installing the npm packages of package-lock.json'
    quietly npm ci || { say 'npm ci failed'; exit 2; }
    touch node_modules/.package-lock.json
  fi
  node_is_ours && return
  # Newer versions of npm may not run the install script that fetches the program.
  [ ! -d node_modules/node ] || (cd node_modules/node && quietly node installArchSpecificPackage.js) || true
  node_is_ours || { say "$node is not Node 24: 'npm rebuild node' should fetch it"; exit 2; }
}

# Prints the Debian packages of the programs that are missing.
missing_packages() {
  [ "$(sh test/lab/kind.sh)" = host ] || command -v linux.uml >/dev/null || echo user-mode-linux
  # What it is part of, where that has another name.
  programs='ipvsadm ip:iproute2 modprobe:kmod curl'
  case $task in
    test | ci)
      programs="$programs dig:bind9-dnsutils dnsmasq:dnsmasq-base nft:nftables conntrack buildah debootstrap rpmbuild:rpm setcap:libcap2-bin kubectl:kubernetes-client chromium fish zsh jq strace systemd-notify:systemd"
      # Without a font a browser shows no letters.
      [ -d /usr/share/fonts/truetype/dejavu ] || echo fonts-dejavu-core
      [ "$second_lab" = host ] || programs="$programs qemu-system-x86_64:qemu-system-x86 virtiofsd:qemu-system-common busybox:busybox-static cpio"
      ;;
    kernels) programs="$programs setcap:libcap2-bin qemu-system-x86_64:qemu-system-x86 virtiofsd:qemu-system-common busybox:busybox-static cpio" ;;
    long) programs="$programs dig:bind9-dnsutils" ;;
    arm64) programs="debootstrap qemu-aarch64-static:qemu-user-static buildah setcap:libcap2-bin ip:iproute2" ;;
    bench)
      programs="$programs gcc dnsperf dnsmasq:dnsmasq-base nginx:nginx-light haproxy wrk iperf3"
      [ -e /usr/include/stdio.h ] || echo libc6-dev
      ;;
  esac
  for program in $programs; do
    command -v "${program%%:*}" >/dev/null || echo "${program##*:}"
  done
}

# Unpacked, not installed: its package has the Prometheus server too, which Debian starts where an init is there to do it.
install_promtool() {
  case $task in test | ci) ;; *) return 0 ;; esac
  command -v promtool >/dev/null && return
  say "fetching Debian's promtool, into node_modules/.cache"
  unpack_promtool 2>/dev/null || { quietly apt-get update && quietly unpack_promtool; } || { say 'no promtool'; exit 2; }
}

unpack_promtool() (
  rm -rf "$promtool"
  mkdir -p "$promtool"
  cd "$promtool"
  apt-get download prometheus >&2 && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool
  rm -f prometheus_*.deb
  ./promtool --version >/dev/null
)

# The kernel that the tests of the packet filter need, where this machine's own does not serve.
install_kernel() {
  [ "$second_lab" = qemu ] || return 0
  test/lab/qemu-kernel.sh find >/dev/null && return
  say "fetching Debian's kernel for virtual machines, into node_modules/.cache"
  test/lab/qemu-kernel.sh fetch >/dev/null 2>&1 || { quietly apt-get update && quietly test/lab/qemu-kernel.sh fetch; } ||
    { say 'no kernel for QEMU'; exit 2; }
}

install_packages() {
  packages=$(missing_packages | tr '\n' ' ')
  [ -n "$packages" ] || return 0
  command -v apt-get >/dev/null || { say "missing, and this is no Debian: $packages"; exit 2; }
  if [ "$(id -u)" != 0 ]; then
    say "as root, run: apt-get update && apt-get install -y --no-install-recommends $packages"
    exit 2
  fi
  say "installing the Debian packages $packages"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list
  set -- apt-get install -y --no-install-recommends $packages
  # With old lists, or none, the first attempt may fail.
  "$@" >/dev/null 2>&1 </dev/null || { quietly apt-get update && quietly "$@"; } || true
  packages=$(missing_packages | tr '\n' ' ')
  [ -z "$packages" ] || { say "apt-get did not install $packages"; exit 2; }
}

# Ends a lab that hangs, and only that: a machine with much else to do may take hours.
HANG_SECONDS=14400

# project NAME LAUNCHER [ARGS…]: runs one of Jest's projects, started by LAUNCHER. totals.ts sees whether it passed.
project() {
  name=$1
  launcher=$2
  shift 2
  # The tests of the kernel share it, and its one processor; for the others Jest would leave one idle.
  if [ "$name" = unit ]; then set -- --maxWorkers=100% --testTimeout=600000 "$@"; else set -- --runInBand "$@"; fi
  # Their machine ends with Jest, which would wait for programs that a failed test has left in it.
  case $launcher in test/lab/run.sh*) set -- --forceExit "$@" ;; esac
  export RUNNING_TESTS="$results/$name.running"
  # shellcheck disable=SC2086 # nothing, or a command with its options
  $launcher "$node" --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js --selectProjects "$name" \
    --reporters default --reporters ./test/lab/running-tests.ts --cacheDirectory node_modules/.cache/jest --passWithNoTests --json --outputFile "$results/$name.json" "$@" || true
}

# check NAME: an npm script that counts as one test.
check() {
  echo "== $1"
  if npm run --silent "$1"; then passed=1; else passed=0; fi
  echo "{\"numPassedTests\":$passed,\"numFailedTests\":$((1 - passed))}" >"$results/$1.json"
}

# The labs start the program thousands of times, as users have it. Unit tests run the source. The build gets the Node of
# package-lock.json, whichever this machine has.
build_program() {
  quietly npm run --silent build || { say 'npm run build failed'; exit 2; }
  ln -sf ../node_modules/node/bin/node dist/node
  export TESTED_BUILD="$PWD/dist"
}

# run_projects RESULTS PROJECTS [ARGS…]: runs those that nobody has begun yet. Two of these share the work: each lab has one
# processor to itself.
run_projects() {
  results=$1
  projects=$2
  shift 2
  for each in $projects; do
    mkdir "$results/$each.begun" 2>/dev/null || continue
    echo "== $each: $(title "$each")"
    unset IPVS_KERNEL_TESTS
    case $each in
      kernel | serving | datapath) export IPVS_KERNEL_TESTS=yes-change-my-tables ;;
    esac
    case $each in
      kernel | serving) project "$each" "test/lab/run.sh -m 2048M -t $HANG_SECONDS --" "$@" ;;
      datapath) (export LAB="$second_lab" && project "$each" "test/lab/run.sh -m 2048M -t $HANG_SECONDS --" "$@") ;;
      *) project "$each" '' "$@" ;;
    esac
  done
}

title() {
  case $1 in
    kernel) echo 'in the lab' ;;
    datapath) echo 'in the lab with nftables' ;;
    serving) echo 'DNS, page, documentation, in the lab' ;;
    image) echo 'image, Debian package, release' ;;
    page) echo 'in a browser' ;;
    lab) echo 'the lab itself' ;;
  esac
}

run_tests() {
  results=$(mktemp -d /var/tmp/marathon-ipvs-results.XXXXXX) # the lab has another /tmp
  trap 'rm -rf "$results"' EXIT
  trap 'exit 130' INT TERM HUP
  checks=
  if [ "$task" = ci ]; then
    checks='lint types dead'
    for name in $checks; do check "$name"; done
  fi
  build_program
  if [ "$task" = long ]; then
    echo '== traffic, in the lab'
    export IPVS_KERNEL_TESTS=yes-change-my-tables TRAFFIC=long
    project kernel 'test/lab/run.sh -m 3072M -t 0 --' test/traffic test/kernel/netns-controller "$@"
    "$node" test/lab/totals.ts "$results" kernel
    return
  fi
  echo '== unit'
  project unit '' "$@"
  # In a group of its own, to be ended as a whole.
  setsid sh test/lab/ensure.sh beside "$results" "$@" >"$results/beside.log" 2>&1 </dev/null &
  beside=$!
  trap 'kill -- -$beside 2>/dev/null || true; rm -rf "$results"' EXIT
  run_projects "$results" 'kernel lab page serving' "$@"
  wait $beside || true
  cat "$results/beside.log"
  # shellcheck disable=SC2086 # a list
  "$node" test/lab/totals.ts "$results" unit page kernel serving datapath lab image $checks
}

# What Node has compiled is kept: in the lab, where system calls are slow, that halves the start of a program.
export NODE_COMPILE_CACHE="$PWD/node_modules/.cache/node"

install_node_modules
second_lab=
case $task in test | ci | beside) second_lab=$(sh test/lab/kind.sh nftables) ;; esac
install_packages
install_promtool
install_kernel
case $task in
  start)
    build_program
    limit=300
    for argument; do [ "$argument" != --keep ] || limit=0; done
    # A terminal, where there is one, is for the shell that --keep opens.
    [ $limit = 0 ] && [ -t 0 ] && interactive=-i || interactive=
    # shellcheck disable=SC2086 # nothing, or an option
    exec test/lab/run.sh -t $limit $interactive -- "$node" test/demo/main.ts "$@"
    ;;
  test | long | ci) run_tests "$@" ;;
  beside)
    results=$1
    shift
    run_projects "$results" 'datapath image serving page lab' "$@"
    ;;
  kernels)
    build_program
    exec "$node" test/lab/kernels-main.ts "$@"
    ;;
  arm64) exec "$node" --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js --selectProjects arm64 --runInBand --cacheDirectory node_modules/.cache/jest "$@" ;;
  bench)
    missed=0
    build_program
    names= options=
    for argument; do
      case $argument in
        -*) options="$options $argument" ;;
        *) names="$names $argument" ;;
      esac
    done
    [ -n "$names" ] || names=$(cd test/bench && ls *-bench.ts | sed 's/-bench\.ts$//')
    for name in $names; do
      file=test/bench/$name-bench.ts
      [ -e "$file" ] || { say "no benchmark '$name': test/bench has $(cd test/bench && ls *-bench.ts | sed 's/-bench\.ts$//' | xargs)"; exit 2; }
      echo "== $name"
      # shellcheck disable=SC2086 # a list
      test/lab/run.sh -m 3072M -t 0 -- "$node" --conditions=ipvs-source "$file" $options || missed=1
    done
    exit $missed
    ;;
  *)
    say "no task '$task': expected start, test, long, kernels, arm64, bench or ci"
    exit 2
    ;;
esac
