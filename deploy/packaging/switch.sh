# Shared by the scripts of all packages: switches from one version to another without a moment in which none is in place.
# Scripts set `again` (the command that retries) and `back` (the command that installs the previous version), and define
# `control ACTION`, which makes systemd start or restart the service and gives up after a minute (status 124): a start waits for a
# source that does not answer, and must not block the package manager.

home=/usr/lib/marathon-ipvs
version=@PROGRAM_VERSION@
unit=marathon-ipvs.service
config=/etc/marathon-ipvs/config.yaml
NOT_CONFIGURED=6

say() {
  echo "marathon-ipvs: $*" >&2
}

# The package manager may remove the old version's files before this version is checked. Until then the old version runs from a
# copy (hard links: no space). After an upgrade that failed, it already does.
keep() {
  running=$(readlink -f "$home/current") || return 0
  case $running in
    "$home"/kept/*) return 0 ;;
    "$home"/*) ;;
    *) return 0 ;;
  esac
  [ -x "$running/marathon-ipvs" ] || return 0
  name=${running##*/}
  rm -rf "$home/kept"
  mkdir "$home/kept"
  cp -al "$running" "$home/kept/$name" 2>/dev/null || { rm -rf "$home/kept/$name"; cp -a "$running" "$home/kept/$name"; }
  ln -sfn "kept/$name" "$home/current.new"
  mv -T "$home/current.new" "$home/current"
}

# Makes `current` point to a directory below /usr/lib/marathon-ipvs: everything is started from there.
switch_to() {
  ln -sfn "$1" "$home/current.new"
  mv -T "$home/current.new" "$home/current"
}

# The directory of the kept old version, below /usr/lib/marathon-ipvs.
kept() {
  for folder in "$home"/kept/*; do
    [ ! -x "$folder/marathon-ipvs" ] || { echo "kept/${folder##*/}"; return; }
  done
}

forget_kept() {
  for link in "$home"/*; do
    case $link in "$home"/current) ;; *) [ ! -L "$link" ] || rm "$link" ;; esac
  done
  rm -rf "$home/kept"
}

# refuse WHY…: leaves the old version in place.
refuse() {
  say "version $version $1"
  old=$(kept)
  if [ -n "$old" ]; then
    # The running process reads its page from the path that it was started from.
    name=${old##*/}
    [ -e "$home/$name" ] || ln -s "$old" "$home/$name"
    say "version $name stays in place; if it was running, it keeps running."
  fi
  say "$2"
  exit 1
}

systemd_runs() {
  [ -d /run/systemd/system ]
}

state() {
  systemctl show --property="$1" --value $unit 2>/dev/null || true
}

# Runs this version as the service does: its user, and the variables of the unit with its drop-ins.
as_the_service() {
  variables=
  ! systemd_runs || variables=$(state Environment)
  # systemctl quotes them for a shell.
  eval "set -- $variables -- \"\$@\""
  count=$#
  passed_end=no
  while [ "$count" -gt 0 ]; do
    count=$((count - 1))
    word=$1
    shift
    if [ "$passed_end" = no ] && [ "$word" = -- ]; then
      passed_end=yes
      continue
    fi
    # Credentials exist only while the service runs.
    case $passed_end$word in
      no*=/run/credentials/*) [ -e "${word#*=}" ] || continue ;;
    esac
    set -- "$@" "$word"
  done
  setpriv --reuid marathon-ipvs --regid marathon-ipvs --init-groups --bounding-set=-all --inh-caps=-all \
    env -i -C / PATH=/usr/sbin:/usr/bin:/sbin:/bin NOTIFY_SOCKET=/run/systemd/notify "$@" 2>&1
}

prove() {
  said=$("$home/$version/marathon-ipvs" --version 2>&1) || true
  [ "$said" = "$version" ] ||
    refuse "does not start on this host: '--version' printed: $said" \
      "Install the previous version again ($back), or report this."
  status=0
  said=$(as_the_service "$home/$version/marathon-ipvs" run --check --config $config) || status=$?
  configured=yes
  case $status in
    0) ;;
    $NOT_CONFIGURED) configured=no ;;
    *)
      refuse "rejects the configuration: ${said#marathon-ipvs: }" \
        "Correct $config (or the drop-ins of $unit), then run: $again"
      ;;
  esac
}

start() {
  status=0
  control start || status=$?
  case $status in
    0) ;;
    124) say "the service is not ready yet: 'systemctl status marathon-ipvs' shows what it waits for." ;;
    *) say "the service did not start: 'systemctl status marathon-ipvs' shows why." ;;
  esac
}

# If the new version does not start, starts the old one again. Neither interrupts a connection.
restart() {
  status=0
  control restart || status=$?
  case $status:$(state SubState) in
    0:*) return 0 ;;
    124:start)
      say "the service is not ready yet: 'systemctl status marathon-ipvs' shows what it waits for."
      return 0
      ;;
  esac
  old=$(kept)
  [ -z "$old" ] || {
    switch_to "$old"
    control restart || true
  }
  refuse "started and failed; see journalctl -u marathon-ipvs -n 20" "When the cause is fixed, run: $again"
}
