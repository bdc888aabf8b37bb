# shellcheck shell=sh
# flatpak, changing: each ref of the rows to exactly its commit, by a transaction of its own. A transaction that is killed
# has changed nothing: flatpak deploys a commit beside the old one and switches at the end.

# What the read-back parses: what is installed now, and of each ref that did not go in flatpak's own words.
flatpak_result() {
  flatpak_list
  section flatpak-results
  cat "$dir/results" 2>/dev/null
}

# flatpak_ref ROW: the words of the row as flatpak writes them: NAME/ARCH/BRANCH.
flatpak_ref() {
  flatpak_words=${1%,*}
  printf '%s/%s' "${flatpak_words%%,*}" "${flatpak_words#*,}"
}

# flatpak_active REF: the commit that is installed, twelve digits; empty where none is.
flatpak_active() { awk -F '\t' -v ref="$1" '$1 == ref { print $3; exit }' "$dir/before"; }

# flatpak_offer REF COLUMN: of what is on offer. Its refs begin with their kind.
flatpak_offer() {
  awk -F '\t' -v ref="$1" -v column="$2" '{ name = $1; sub(/^[a-z]+\//, "", name) } name == ref { print $column; exit }' \
    "$dir/offered"
}

flatpak_install() {
  if ! { : >"$dir/results"; } 2>/dev/null; then
    finish disk 0 'the request cannot be written to the job directory' flatpak_result
    return
  fi
  bounded 30 flatpak list --system --all --columns=ref,version,active </dev/null >"$dir/before" 2>"$dir/words"
  code=$?
  if [ "$code" != 0 ]; then
    finish failed "$code" "flatpak does not list what is installed: $(one_line <"$dir/words")" flatpak_result
    return
  fi
  wanted=
  for row in $rows; do
    [ "$(flatpak_active "$(flatpak_ref "$row")")" = "${row##*,}" ] || wanted="$wanted $row"
  done
  if [ -z "$wanted" ]; then
    finish ok 0 'everything was at its planned commit' flatpak_result
    return
  fi
  flatpak_is_on_offer || return
  failed='' failures=''
  # Apps after the runtimes that they run on.
  for kind in runtime app; do
    for row in $wanted; do
      case $(flatpak_offer "$(flatpak_ref "$row")" 1) in "$kind"/*) flatpak_update "$row" ;; esac
    done
  done
  say 'reading the result'
  flatpak_end
}

# flatpak would go to any commit that the remote still has: only what it would go to by itself was planned.
flatpak_is_on_offer() {
  say 'querying available updates'
  : >"$dir/offered"
  for remote in $(bounded 30 flatpak remotes --system --columns=name 2>/dev/null </dev/null); do
    case $remote in -* | *[!A-Za-z0-9._-]*) continue ;; esac
    flatpak_offers "$remote" >>"$dir/offered" 2>"$dir/words" || log_line "$remote: $(one_line <"$dir/words")"
  done
  drift=$(for row in $wanted; do
    ref=$(flatpak_ref "$row")
    active=$(flatpak_active "$ref") offered=$(flatpak_offer "$ref" 3)
    case $(flatpak_offer "$ref" 7) in
      *eol-rebase=*) offered='another ref in its place' ;;
    esac
    [ -z "$active" ] || [ "$offered" != "${row##*,}" ] || continue
    printf '%s: commit %s is not on offer (installed: %s, on offer: %s);' "$ref" "${row##*,}" "${active:-none}" \
      "${offered:-none}"
  done | head -c 2000)
  [ -n "$drift" ] || return 0
  finish drift 0 "${drift%;}" flatpak_result
  return 1
}

# flatpak_update ROW: by the whole commit, without the runtimes and extensions that have rows of their own or none.
flatpak_update() {
  ref=$(flatpak_offer "$(flatpak_ref "$1")" 1)
  whole=$(bounded 150 flatpak remote-info --system --show-commit "$(flatpak_offer "${ref#*/}" 4)" "$ref" \
    2>"$dir/words" </dev/null)
  case $whole in
    "${1##*,}"*)
      say "updating $ref to ${1##*,}"
      log_line "updating $ref to $whole"
      logged flatpak update --system -y --noninteractive --no-deps --no-related "--commit=$whole" "$ref"
      [ "$code" = 0 ] || flatpak_note "$1" "$(said | one_line)"
      ;;
    '') flatpak_note "$1" "$(one_line <"$dir/words")" ;;
    *) flatpak_note "$1" "the remote has moved on to commit $whole" ;;
  esac
}

# flatpak_note ROW WORDS: why it did not go in.
flatpak_note() {
  printf '%s\t%s\n' "$(flatpak_ref "$1")" "$(printf '%s' "$2" | tr -c '[:print:]' ' ')" >>"$dir/results"
  failed="$failed $(flatpak_ref "$1")" failures="$failures$2; "
}

# The words about each ref are in the results.
flatpak_end() {
  case $failures in
    '') finish ok 0 '' flatpak_result ;;
    *[Nn]'o space left on device'* | *[Nn]'ot enough disk space'*)
      finish disk 1 "no disk space for:$failed" flatpak_result
      ;;
    *) finish failed 1 "not updated:$failed" flatpak_result ;;
  esac
}
