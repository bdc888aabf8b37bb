# shellcheck shell=sh
# dnf 4 and rpm, changing: install exactly the rows, refresh, repair. Every end is judged by what rpm's database says.

# dnf_run VERB ARGUMENTS...: the program, its words into the log and its answer into a file, for lock_wait seconds in all
# while others work. Sets verdict, code and words; dnf itself would wait for ever.
dnf_run() {
  dnf_interpreter=${dnf_python#'#!'}
  limit=$(($(uptime_sec) + $(number lock_wait 600)))
  if ! { dnf_library && dnf_changing; } >"$dir/program" 2>/dev/null; then
    verdict=disk code=0 words='the request cannot be written to the job directory'
    return
  fi
  while :; do
    verdict=locked code=0 words=$(lock_words "$rpm_place/.rpm.lock")
    if [ -z "$words" ]; then
      rm -f "$dir/answer"
      logged "${dnf_interpreter%% *}" -s "$dir/program" "$@"
      verdict=$(awk -F "$tab" '$1 == "result" { print $2 }' "$dir/answer" 2>/dev/null)
      words=$(awk -F "$tab" '$1 == "result" { print $3 }' "$dir/answer" 2>/dev/null | head -c 2000)
      [ -n "$verdict" ] || words="dnf ended with status $code: $(said | tail -n 3 | tr '\n' ' ')"
      [ "$verdict" = locked ] || break
    fi
    [ "$(uptime_sec)" -lt "$limit" ] || break
    say "waiting for a lock: $words"
    sleep 2
  done
  verdict=${verdict:-failed}
  if [ "$verdict" = failed ] && [ "$code" = 0 ]; then code=1; fi
}

dnf_install() {
  rpm_is_sound || return
  say 'installing'
  # shellcheck disable=SC2086 # rows are words
  dnf_run install "$dir/answer" $rows
  say 'reading back'
  finish "$verdict" "$code" "$words" rpm_result
}

dnf_refresh() {
  say 'fetching package lists'
  dnf_run refresh "$dir/answer" "$base/refreshed-dnf"
  finish "$verdict" "$code" "$words"
}

dnf_repair() { rpm_repair; }

# What changes the host, behind the part that looks.
dnf_changing() {
  cat <<'PYTHON'


def report(verdict, message=''):
    tell('result', verdict, ' '.join(str(message).split()))


# What would happen besides the rows, and what of them would not.
def differences(base, rows):
    import dnf.transaction as kinds
    goes_in = {(item.pkg.name, item.pkg.arch, item.pkg.evr) for item in base.transaction or []
               if item.action in (kinds.PKG_INSTALL, kinds.PKG_UPGRADE)}
    other = [item.pkg for item in base.transaction or []
             if item.action not in (kinds.PKG_INSTALL, kinds.PKG_UPGRADE, kinds.PKG_UPGRADED)]
    wanted = {tuple(row) for row in rows}
    return (['%s %s would not be installed' % (name, evr) for name, _, evr in sorted(wanted - goes_in)] +
            ['%s %s would be installed, which was not asked for' % (name, evr) for name, _, evr in sorted(goes_in - wanted)] +
            ['%s would be removed' % package for package in other])


# As dnf -y does: keys that the settings of the repository name are imported.
def check_signatures(base):
    import dnf.exceptions
    for package in base.transaction.install_set:
        result, message = base.package_signature_check(package)
        if result == 1:
            base.package_import_key(package, fullaskcb=lambda options: True)
        elif result != 0:
            raise dnf.exceptions.Error(message)


def make_display():
    import dnf.callback
    import dnf.transaction

    class Display(dnf.callback.TransactionProgress):
        said = ''

        def progress(self, package, action, ti_done, ti_total, ts_done, ts_total):
            line = '%s/%s %s %s' % (ts_done, ts_total, dnf.transaction.ACTIONS.get(action, ''), package)
            if line != self.said:
                print(line, flush=True)
                self.said = line

        def scriptout(self, msgs):
            if msgs:
                print(msgs.decode('utf-8', 'replace') if isinstance(msgs, bytes) else msgs, flush=True)

        def error(self, message):
            print(message, flush=True)
            tell('failing', message)

    return Display()


# The answer goes into a file: what is printed is the log.
def work(path, action):
    import dnf.lock
    global answer
    answer = open(path, 'w', encoding='utf-8', errors='backslashreplace')
    try:
        action()
    except dnf.lock.ProcessLockError as error:
        report('locked', '%s (%s)' % (error, name_of(error.pid)))
    except Exception as error:
        is_full = re.search('No space left on device|needs .* more space on the', str(error))
        report('disk' if is_full else 'failed', error)
        print(error, flush=True)


def name_of(pid):
    try:
        with open('/proc/%d/comm' % pid) as file:
            return file.read().strip()
    except OSError:
        return 'gone since'


def install(path, *words):
    rows = [[unescaped(cell) for cell in word.split(',')] for word in words]
    work(path, lambda: install_rows(rows))


def install_rows(rows):
    base = open_base()
    base.args = ['fettle', 'install']
    load_lists(base, 0)
    there = {(package.name, package.arch, package.evr) for package in base.sack.query().installed()}
    left = [row for row in rows if tuple(row) not in there]
    if not left:
        report('ok', 'everything was at its planned version')
        return
    is_resolved = resolve_rows(base, left)
    found = differences(base, left) if is_resolved else ['nothing goes together']
    if found:
        report('drift', '; '.join(found + troubles))
        return
    print('downloading %d packages' % len(left), flush=True)
    base.download_packages(list(base.transaction.install_set))
    check_signatures(base)
    base.do_transaction(make_display())
    report('ok')


def refresh(path, memory):
    work(path, lambda: refresh_lists(memory))


def refresh_lists(memory):
    import dnf.exceptions
    import dnf.lock
    base = open_base()
    failed = {}
    enabled = list(base.repos.iter_enabled())
    with dnf.lock.build_metadata_lock(base.conf.cachedir, True):
        for repo in enabled:
            import_keys(repo)
            repo._repo.expire()
            try:
                repo.load()
                print('fetched %s' % repo.id, flush=True)
            except dnf.exceptions.RepoError as error:
                failed[repo.id] = ' '.join(str(error).split()) + certificate_words(repo)
                print(failed[repo.id], flush=True)
                repo.disable()
    # Loading them once more leaves them in the form that is quick to read.
    if len(failed) < len(enabled):
        base.fill_sack(load_system_repo=False)
    remember(memory, [repo.id for repo in enabled], failed)
    if not enabled:
        report('failed', 'no repository is enabled')
    elif failed:
        report('failed', '; '.join(failed.values()))
    else:
        report('ok')


# What is wrong with the certificate by which subscription-manager, Satellite or a cloud lets the host in.
def certificate_words(repo):
    import ssl
    path = repo.sslclientcert
    if path and not os.path.exists(path):
        return '; its client certificate %s is not there' % path
    try:
        # The module ssl has no public way to read one (CPython, Modules/_ssl.c).
        ends = ssl._ssl._test_decode_cert(path)['notAfter'] if path else ''
        has_ended = ends and ssl.cert_time_to_seconds(ends) < time.time()
    except (OSError, ValueError, KeyError, AttributeError):
        return ''
    words = '; its client certificate %s expired on %s, so renew the subscription of the host'
    return words % (path, ' '.join(ends.split())) if has_ended else ''


# As dnf -y does, where the lists themselves are signed.
def import_keys(repo):
    import dnf.callback

    class Keys(dnf.callback.KeyImport):
        def _confirm(self, id, userid, fingerprint, url, timestamp):
            print('importing the key %s of %s' % (fingerprint, url), flush=True)
            return True

    repo._set_key_import(Keys())


# Since when a repository fails: dnf leaves no trace of it. Name, since when, why; replaced as a whole.
def remember(path, ids, failed):
    since = {}
    try:
        with open(path, encoding='utf-8') as file:
            for line in file:
                cells = line.rstrip('\n').split('\t')
                since[cells[0]] = cells[1]
    except (OSError, IndexError):
        pass
    with open(path + '.new', 'w', encoding='utf-8') as file:
        for name in ids:
            if name in failed:
                file.write('%s\t%s\t%s\n' % (name, since.get(name) or int(time.time()), failed[name]))
    os.replace(path + '.new', path)


if __name__ == '__main__':
    {'install': install, 'refresh': refresh}[sys.argv[1]](*sys.argv[2:])
PYTHON
}
