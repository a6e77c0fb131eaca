# Read by both kinds of guest (bash): what the command must not share with the machine.

# covered DIR…: puts an empty file system over each folder, and the checkout back where that was below one of them.
covered() {
  local keep=/run/lab/keep folder kept at
  mkdir -p $keep/root $keep/cwd
  mount --bind "$ROOT" $keep/root
  mount --bind "$CWD" $keep/cwd
  for folder; do
    [ -d "$folder" ] || continue
    mount -t tmpfs -o mode="$(stat -c %a "$folder")" tmpfs "$folder"
    for kept in root:"$ROOT" cwd:"$CWD"; do
      at=${kept#*:}
      case $at/ in
        "$folder"/*) mkdir -p "$at" && mount --bind "$keep/${kept%%:*}" "$at" ;;
      esac
    done
  done
}

# as_on_a_new_machine: nothing that earlier runs left, and nothing of ours left behind.
as_on_a_new_machine() {
  local folders=(/var/lib)
  [ "$PRIVATE_TMP" = 1 ] && folders+=(/tmp)
  covered "${folders[@]}"
  ip link set lo up # with lo down IPVS refuses every destination
}
