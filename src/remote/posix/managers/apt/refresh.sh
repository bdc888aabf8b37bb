# shellcheck shell=sh
# What apt and dpkg say of themselves, in few lines, and what is remembered of refreshes.

# reasons: of what apt and dpkg print, each complaint on one line with its reason: the indented lines behind it, the
# dependencies that are not met, the last words of a package's own script. What says the same again is left out.
reasons() {
  tr '\r' '\n' | awk '
    function trimmed(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }
    function keep(text) { if (text != "" && !(text in seen)) { seen[text] = 1; item[++count] = text } }
    function close_item() { keep(pending); pending = "" }
    /^[ \t]/ {
      if (pending != "") { pending = pending (pending ~ /:$/ ? " " : ": ") trimmed($0); next }
      if (is_unmet) { keep(trimmed($0)); next }
    }
    { close_item(); is_unmet = 0 }
    /^Err:/ { sub(/^Err:[0-9]* */, ""); pending = $0; failed = 1; next }
    /^The following packages have unmet dependencies:/ { is_unmet = 1; next }
    /^(E|W|Error|Warning): Failed to fetch / {
      if (failed) next
      sub(/^[A-Za-z]*: /, ""); keep($0); next
    }
    /^(E|W|Error|Warning): Some index files failed/ { rest = $0; next }
    /^(E|Error): Sub-process / { rest = $0; next }
    /^(E|Error): / { sub(/^[A-Za-z]*: /, ""); keep($0); next }
    /^W: (GPG error|Skipping|An error occurred|Conflicting|Target .* is configured)/ || /^W: .*(NO_PUBKEY|EXPKEYSIG|KEYEXPIRED|BADSIG)/ {
      sub(/^W: /, ""); keep($0); next
    }
    /^dpkg: error processing/ {
      for (i = (words > 2 ? words - 2 : 1); i <= words; i++) keep(word[i % 3])
      pending = $0; words = 0; next
    }
    /^dpkg: error/ { pending = $0; next }
    /^(Setting up|Unpacking|Preparing to unpack|Removing|Processing triggers|Selecting|\(Reading)/ { words = 0; next }
    /^(dpkg|Reading|Building|Get:|Hit:|Ign:|Fetched|Errors were encountered|Need to get|After this|N: )/ { next }
    /[^ ]/ { words++; word[words % 3] = trimmed($0) }
    END {
      close_item()
      if (count == 0) keep(rest)
      for (i = 1; i <= count && i <= 12; i++) print item[i]
    }' | without_credentials
}

complaints() { said | reasons | awk '{ printf "%s%s", (NR > 1 ? "; " : ""), $0 }' | head -c 2000; }

# remember_refresh: apt leaves no trace of a repository that answered and had nothing new, nor of one that did not answer.
# So each is kept with the time of its last good answer, since when it fails, and why; * is for what fails as a whole.
# Tab-separated, replaced as a whole. Reads `code` and the log.
remember_refresh() {
  said | without_credentials | grep -E '^(Hit|Get):' >"$dir/answered"
  said | reasons >"$dir/reasons"
  apt_targets >"$dir/targets"
  touch "$base/refreshed" 2>/dev/null
  awk -F "$tab" -v now="$(date +%s)" -v is_good="$1" '
    FILENAME == ARGV[1] { good[$1] = $2; since[$1] = $3; next }
    FILENAME == ARGV[2] { answers = answers "\n" $0 " "; next }
    FILENAME == ARGV[3] { reason[++reasons] = $0; next }
    {
      site = $2; named = site
      sub(/\/+$/, "", named); sub(/\/dists\//, "/ ", named); sub(/\/ /, " ", named)
      why = ""
      for (i = 1; i <= reasons && is_good != "yes"; i++)
        if (index(reason[i], site) || index(reason[i] " ", named " ") || index(reason[i], named "/")) {
          why = reason[i]; is_found = 1; break
        }
      if (why == "" && (is_good == "yes" || index(answers, " " named " ") || index(answers, " " named "/"))) good[site] = now
      if (is_good == "yes") since[site] = ""
      else if (why != "") since[site] = since[site] == "" ? now : since[site]
      else if (good[site] == now) since[site] = ""
      printf "%s\t%s\t%s\t%s\n", site, good[site], since[site], why
    }
    END {
      if (is_good == "yes" || is_found) exit
      printf "*\t\t%s\t%s\n", (since["*"] == "" ? now : since["*"]), (reasons > 0 ? reason[1] : "apt-get update failed")
    }' "$base/refreshed" "$dir/answered" "$dir/reasons" "$dir/targets" >"$base/refreshed.new" 2>/dev/null &&
    mv "$base/refreshed.new" "$base/refreshed"
}
