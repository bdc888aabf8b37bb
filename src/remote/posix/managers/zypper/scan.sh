# shellcheck shell=sh
# zypper, read only. It answers in XML (zypper(8), --xmlout), of which what nobody reads is left out here.

zypper_check_rows() { rpm_check_rows; }
zypper_leftovers() { rpm_leftovers; }

zypper_list() { rpm_list; }

# Names and `provides:CAPABILITY` in zypp.conf, multiversion, and the files beside it.
zypper_beside() {
  set +f
  {
    sed -n 's/^[[:space:]]*multiversion[[:space:]]*=//p' /usr/etc/zypp/zypp.conf /etc/zypp/zypp.conf \
      /etc/zypp/zypp.conf.d/*.conf 2>/dev/null | tr ',' '\n'
    cat /etc/zypp/multiversion.d/* 2>/dev/null
  } | while read -r kept; do
    case $kept in
      '' | '#'*) ;;
      provides:*) rpm_providers "${kept#provides:}" ;;
      *) printf '%s\n' "$kept" ;;
    esac
  done
  set -f
}

# zypper_ask ARGUMENTS...: a query without its lock, which root would otherwise wait for and keep from others (libzypp,
# ZYppFactory.cc). Nothing is fetched, and nothing of it is in zypper's log.
zypper_ask() {
  {
    bounded 300 env ZYPP_READONLY_HACK=1 ZYPP_LOGFILE=/dev/null zypper --xmlout --non-interactive --no-refresh "$@" \
      </dev/null 2>/dev/null
    printf '<!-- exit %s -->\n' $?
  } | zypper_slim
}

# A document without its texts for people: those of hundreds of patches are megabytes.
zypper_slim() {
  awk '
    BEGIN { RS = "<" }
    NR == 1 { next }
    {
      end = substr($0, 1, 3) == "!--" ? index($0, "-->") + 2 : index($0, ">")
      tag = substr($0, 1, end)
      name = tag
      sub(/[ \t\n\/>].*/, "", name)
      if (name == "") { name = substr(tag, 2); sub(/[ \t\n>].*/, "", name) }
      if (name == "prompt") asks = tag !~ /^\//
      if (name ~ /^(option|progress|summary|license|href|title|status-since|url)$/) next
      if (name == "description" && !asks) next
      text = name ~ /^(message|description|name)$/ && tag !~ /^\// ? substr($0, end + 1) : ""
      printf "<%s%s%s", tag, text, text == "" ? "\n" : ""
    }'
}

# zypper_named ELEMENT KIND: names, architectures and versions of what a document on standard input lists. The order of the
# attributes differs from release to release.
zypper_named() {
  awk -v element="$1" -v kind="$2" '
    function value(key,  at, rest) {
      at = index($0, " " key "=\"")
      if (!at) return ""
      rest = substr($0, at + length(key) + 3)
      return substr(rest, 1, index(rest, "\"") - 1)
    }
    index($0, "<" element " ") == 1 && (value("kind") == kind || value("type") == kind) {
      word = value("name") "\t" value("arch") "\t" value("edition")
      if (word ~ /^[A-Za-z0-9_][A-Za-z0-9+._:-]*\t[a-z0-9_]+\t[A-Za-z0-9.+~:_^-]+$/) print word
    }'
}

# Every version on offer of the packages whose names are the arguments.
zypper_versions() {
  section zypper-versions
  [ $# -eq 0 ] || zypper_ask search --details --match-exact --type package -- "$@"
}

zypper_scan() {
  rpm_list
  zypper_repositories
  zypper_newer=$(zypper_ask list-updates --all)
  section zypper-newer
  printf '%s\n' "$zypper_newer"
  zypper_next=$(zypper_ask list-updates)
  section zypper-next
  printf '%s\n' "$zypper_next"
  zypper_locks
  zypper_patches
  # shellcheck disable=SC2046 # names are words
  zypper_versions $(printf '%s\n' "$zypper_newer" | zypper_named update package | cut -f 1 | sort -u)
  zypper_details
  section zypper-step
  # Any other account may not even try.
  if [ "$own_uid" = 0 ]; then
    # shellcheck disable=SC2046 # arguments are words
    set -- $(printf '%s\n' "$zypper_next" | zypper_named update package | awk -F "$tab" '{ print $1 "." $2 "=" $3 }')
    [ $# -eq 0 ] || zypper_try "$@"
    zypper_reasons
  fi
  section zypper-reboot
  if [ -e /run/reboot-needed ]; then echo /run/reboot-needed; fi
  rpm_refreshes zypper
  rpm_leftovers
}

# Why packages stay where they are, each asked for alone: as many as people read.
zypper_reasons() {
  section zypper-reasons
  {
    printf '%s\n' "$zypper_locked" | zypper_named match package | sed "s/^/out$tab/"
    printf '%s\n' "$zypper_next" | zypper_named update package | sed "s/^/out$tab/"
    printf '%s\n' "$zypper_newer" | zypper_named update package | sed "s/^/in$tab/"
  } | awk -F "$tab" '$1 == "out" { out[$2] = 1 } $1 == "in" && !($2 in out) && ++count <= 8 { print $2 "." $3 "=" $4 }' |
    while read -r each; do zypper_try "$each" | zypper_problem; done
}

# Why a step cannot be taken, in zypper's words.
zypper_problem() {
  sed -n 's/.*<description>\(Problem: [^<]*\).*/\1/p; s/.*<message type="error">\([^<]*\).*/\1/p' | head -n 1
}

zypper_repositories() {
  section zypper-repositories
  zypper_ask repos --details
  # When its lists were compared with the server last, when they were made, and whether there are advisories among them.
  section zypper-lists
  set +f
  for zypper_index in /var/cache/zypp/raw/*/repodata/repomd.xml; do
    [ -r "$zypper_index" ] || continue
    zypper_place=${zypper_index%/repodata/repomd.xml}
    printf '%s\t%s\t%s\t%s\n' "${zypper_place##*/}" "$(stat -c %Y "$zypper_index")" \
      "$(sed -n 's/.*<timestamp>\([0-9]*\).*/\1/p' "$zypper_index" | sort -n | tail -n 1)" \
      "$(sed -n 's/.*<data type="updateinfo".*/advisories/p' "$zypper_index" | head -n 1)"
  done
  set -f
}

# Only those who have locks are asked which packages they match.
zypper_locks() {
  section zypper-locks
  zypper_locked=''
  if grep -q '[^[:space:]]' /etc/zypp/locks 2>/dev/null; then zypper_locked=$(zypper_ask locks --solvables); fi
  printf '%s\n' "$zypper_locked"
}

# What is needed, and which versions each of these patches asks for: it conflicts with every older one.
zypper_patches() {
  zypper_needed=$(zypper_ask list-patches)
  section zypper-patches
  printf '%s\n' "$zypper_needed"
  section zypper-fixed
  # shellcheck disable=SC2046 # names are words
  set -- $(printf '%s\n' "$zypper_needed" | zypper_named update patch | cut -f 1 | sort -u)
  [ $# -gt 0 ] || return 0
  bounded 300 env ZYPP_READONLY_HACK=1 ZYPP_LOGFILE=/dev/null zypper --non-interactive --no-refresh info -t patch -- \
    "$@" </dev/null 2>/dev/null | awk '
    function fixed(text) { if (split(text, word, " ") == 3 && word[2] == "<") print id "\t" word[1] "\t" word[3] }
    /^Name +: / { id = $3 }
    /^[^ ]/ { inside = 0 }
    /^Conflicts +: \[[0-9]+\]/ { inside = 1; next }
    /^Conflicts +: / { sub(/^Conflicts +: /, ""); fixed($0) }
    inside { fixed($0) }'
}

# Of each newer version the size of its download and its source package, and whatever obsoletes an installed package: all
# that zypper has no answer for, from the lists as they were fetched.
zypper_details() {
  section zypper-details
  set +f
  for zypper_list in /var/cache/zypp/raw/*/repodata/*primary.xml.*; do
    case $zypper_list in
      *.gz) zypper_unpack=gzip ;;
      *.zst) zypper_unpack=zstd ;;
      *.xz) zypper_unpack=xz ;;
      *) continue ;;
    esac
    if ! have "$zypper_unpack"; then continue; fi
    {
      printf '%s\n' "$zypper_newer" | zypper_named update package | cut -f 1 | sed 's/^/<wanted /'
      rpm_packages | cut -f 1 | sed 's/^/<present /'
      bounded 60 "$zypper_unpack" -dc "$zypper_list" 2>/dev/null
    } | zypper_primary "$(basename "${zypper_list%/repodata/*}")"
  done
  set -f
}

# https://rpm-software-management.github.io/createrepo_c/: primary.xml, one element a record.
zypper_primary() {
  awk -v repository="$1" '
    function value(key,  at, rest) {
      at = index($0, " " key "=\"")
      if (!at) return ""
      rest = substr($0, at + length(key) + 3)
      return substr(rest, 1, index(rest, "\"") - 1)
    }
    function text() { sub(/^[^>]*>/, ""); sub(/\n.*/, ""); return $0 }
    function evr(  epoch, ver, rel) {
      epoch = value("epoch"); ver = value("ver"); rel = value("rel")
      return (epoch == "" || epoch == "0" ? "" : epoch ":") ver (rel == "" ? "" : "-" rel)
    }
    BEGIN { RS = "<" }
    /^wanted / { sub(/^wanted /, ""); sub(/\n.*/, ""); wanted[$0] = 1; next }
    /^present / { sub(/^present /, ""); sub(/\n.*/, ""); present[$0] = 1; next }
    /^package / { name = arch = version = size = source = ""; count = 0; next }
    /^name>/ { name = text(); next }
    /^arch>/ { arch = text(); next }
    /^version / { version = evr(); next }
    /^size / { size = value("package"); next }
    /^rpm:sourcerpm>/ { source = text(); next }
    /^rpm:obsoletes>/ { inside = 1; next }
    /^\/rpm:obsoletes>/ { inside = 0; next }
    inside && /^rpm:entry / {
      other = value("name")
      if (other in present && other != name) obsolete[++count] = other "\t" value("flags") "\t" evr()
      next
    }
    /^\/package>/ {
      if (name in wanted) print "package\t" repository "\t" name "\t" arch "\t" version "\t" size "\t" source
      for (at = 1; at <= count; at++)
        print "obsoletes\t" repository "\t" name "\t" arch "\t" version "\t" obsolete[at]
    }'
}

# Nothing that nobody asked for, and no way out of a conflict by removing something.
zypper_terms='--no-recommends --no-force-resolution --auto-agree-with-licenses'

# zypper_try NAME.ARCHITECTURE=VERSION...: what exactly installing these would do.
# shellcheck disable=SC2086 # options are words
zypper_try() { zypper_ask install --dry-run $zypper_terms -- "$@"; }

# What exactly the rows would do.
zypper_simulate() {
  rpm_list
  rpm_asked
  zypper_repositories
  zypper_resolve
  section zypper-versions
  printf '%s\n' "$zypper_offers"
  section zypper-step
  printf '%s\n' "$zypper_step"
}

# Sets zypper_offers, all versions of the packages of the rows; zypper_words, the arguments of an install of the rows; and
# zypper_step, what that would do, empty where there is nothing to do. A package that comes along because another needs it
# comes in its newest version: in a second round it is asked for in that of its row.
zypper_resolve() {
  zypper_step=''
  # shellcheck disable=SC2046 # names are words
  zypper_offers=$(zypper_ask search --details --match-exact --type package -- \
    $(for row in $rows; do printf '%s\n' "${row%%,*}"; done | sort -u))
  zypper_words=$(zypper_judge words '')
  [ -n "$zypper_words" ] || return 0
  # shellcheck disable=SC2086 # arguments are words
  zypper_step=$(zypper_try $zypper_words)
  zypper_more=$(zypper_judge more '' | tr '\n' ' ')
  [ -n "$zypper_more" ] || return 0
  zypper_words=$(zypper_judge words "$zypper_more")
  # shellcheck disable=SC2086 # arguments are words
  zypper_step=$(zypper_try $zypper_words)
}

# zypper_judge words MORE: rows that are on offer and not there yet, as arguments: of installed packages, and of those that
# MORE names. zypper_judge more: packages that would come along in another version than that of their row.
# zypper_judge drift: in words, what would happen besides the rows that are not there yet, and what of them would not.
zypper_judge() {
  {
    for each in $2; do printf 'more\t%s\n' "$each"; done
    rpm_packages | awk -F "$tab" '{ print "present\t" $1 "\t" $2 "\t" $3 }'
    printf '%s\n' "$zypper_offers" | zypper_named solvable package | sed "s/^/offer$tab/"
    printf '%s\n' "$zypper_step" | sed '/<to-remove>/,/<\/to-remove>/d' | zypper_named solvable package | sed "s/^/in$tab/"
    printf '%s\n' "$zypper_step" | sed -n '/<to-remove>/,/<\/to-remove>/p' | zypper_named solvable package | sed "s/^/out$tab/"
    for row in $rows; do printf 'row\t%s\n' "$(unescaped "$row" | tr ',' '\t')"; done
  } | awk -F "$tab" -v verb="$1" '
    { id = $2 "." $3; version = $4; sub(/^0:/, "", version); key = id "=" version }
    $1 == "more" { wanted[$2] = 1 }
    $1 == "present" { wanted[id] = 1; there[id] = 1; at[key] = 1 }
    $1 == "offer" { offered[key] = 1 }
    $1 == "in" { into[key] = 1; comes[id] = version }
    $1 == "out" && verb == "drift" { print key " would be removed" }
    $1 == "row" && !(key in at) {
      row[key] = 1
      if (verb == "words" && (id in wanted) && (key in offered)) print key
      if (verb == "more" && !(id in there) && (id in comes) && comes[id] != version && (key in offered)) print id
      if (verb == "drift" && !(key in into)) print key " would not be installed"
    }
    END { if (verb == "drift") for (key in into) if (!(key in row)) print key " would be installed, which is not planned" }'
}
