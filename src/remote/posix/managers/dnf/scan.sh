# shellcheck shell=sh
# dnf 4 and rpm, read only. What dnf knows is asked of its own Python interface (dnf.readthedocs.io, API reference): one
# process that loads the lists once, and whose answer is not a table for people.

dnf_check_rows() { rpm_check_rows; }
dnf_list() { rpm_list; }
dnf_leftovers() { rpm_leftovers; }

# dnf_ask VERB ROW...: what the program answers; without its last line it is none.
dnf_ask() {
  dnf_interpreter=${dnf_python#'#!'}
  { dnf_library && dnf_looking; } | bounded 300 "${dnf_interpreter%% *}" -s - "$@" 2>/dev/null
}

dnf_scan() {
  rpm_list
  section dnf-answer
  dnf_ask scan
  rpm_refreshes dnf
  rpm_leftovers
}

# What exactly the rows would do.
dnf_simulate() {
  rpm_list
  rpm_asked
  section dnf-answer
  # shellcheck disable=SC2086 # rows are words
  dnf_ask simulate $rows
}

# The program, for Python 3.6 and later. It never fetches lists, and what plugins print goes elsewhere. Each line of its
# answer is a kind and its cells, tab-separated.
dnf_library() {
  cat <<'PYTHON'
import functools
import os
import re
import sys
import tempfile
import time

answer = os.fdopen(os.dup(1), 'w', encoding='utf-8', errors='backslashreplace')
os.dup2(2, 1)


def tell(*cells):
    text = '\t'.join(re.sub(r'[\x00-\x1f\x7f]', ' ', str(cell)) for cell in cells)
    answer.write(text + '\n')
    answer.flush()


# What is installed beside others of its name, as rpm_beside names it to rpm.
BESIDE = ['kernel', 'installonlypkg(kernel)', 'installonlypkg(kernel-module)', 'installonlypkg(vm)', 'multiversion(kernel)']

troubles = []


def trouble(text):
    troubles.append(' '.join(str(text).split()))
    tell('trouble', troubles[-1])


# With a place for what dnf writes besides, where nothing shall be left of it.
def open_base(place=None):
    import dnf
    base = dnf.Base()
    conf = base.conf
    conf.read()
    conf.substitutions.update_from_etc(conf.installroot, varsdir=conf.varsdir)
    # Kernels are put beside each other; which one goes is no by-product of an update.
    conf.installonly_limit = 0
    conf.exit_on_lock = True
    conf.assumeyes = True
    if os.getuid() != 0:
        # Root's lists, not those of the account, which may be none. dnf has made a directory for the latter.
        own, conf.cachedir = conf.cachedir, conf.system_cachedir
        if own.startswith('/var/tmp/') and not os.listdir(own):
            os.rmdir(own)
        dnf.lock._fit_lock_dir = lambda directory: place
    if place:
        conf.logdir = place
    # That one has a use for nothing but the command line, and complains.
    base.init_plugins(disabled_glob=['show-leaves'])
    base.pre_configure_plugins()
    base.read_all_repos()
    base.configure_plugins()
    return base


# Another dnf may load its lists at this moment.
def patiently(action, seconds):
    import dnf.lock
    ends = time.monotonic() + seconds
    while True:
        try:
            return action()
        except dnf.lock.ProcessLockError:
            if time.monotonic() > ends:
                raise
            time.sleep(1)


# From the files that are there. Repositories that were never fetched are reported, never passed over.
def load_lists(base, patience_sec=60):
    enabled = list(base.repos.iter_enabled())
    wanted = {repo.id: repo.skip_if_unavailable for repo in enabled}
    for repo in enabled:
        repo.skip_if_unavailable = True
    patiently(lambda: base.fill_sack_from_repos_in_cache(load_system_repo=True), patience_sec)
    for repo in enabled:
        there = repo.enabled
        age = repo._repo.getAge() if there else ''
        made = repo._repo.getMaxTimestamp() if there else ''
        updateinfo = 'advisories' if there and repo._repo.getMetadataPath('updateinfo') else ''
        tell('repository', repo.id, repo.name, int(time.time() - age) if there else '', made, updateinfo)
        repo.skip_if_unavailable = wanted[repo.id]


# Packages of a query by (name, arch), newest first; one of several repositories counts once, with all their ids.
def with_versions(base, query):
    found = {}
    for package in query:
        versions = found.setdefault((package.name, package.arch), {})
        versions.setdefault(package.evr, []).append(package)
    order = functools.cmp_to_key(lambda left, right: base.sack.evr_cmp(right, left))
    return {key: [(evr, found[key][evr]) for evr in sorted(found[key], key=order)] for key in found}


def beside_names(base):
    return {package.name for package in base.sack.query().filter(provides=BESIDE)}


def tell_versions(base, kind, query):
    beside = beside_names(base)
    for (name, arch), versions in sorted(with_versions(base, query).items()):
        for evr, packages in versions:
            repos = ','.join(sorted(package.reponame for package in packages))
            tell(kind, name, arch, evr, repos, packages[0].downloadsize, packages[0].sourcerpm or '',
                 'beside' if name in beside else '')


# Names that the plugin versionlock keeps; its list is the plugin's own to find.
def locked_names():
    import dnf.subject
    import hawkey
    plugin = plugin_named('versionlock')
    forms = [hawkey.FORM_NEVRA, hawkey.FORM_NEVR, hawkey.FORM_NEV, hawkey.FORM_NA, hawkey.FORM_NAME]
    names = set()
    for pattern in plugin._read_locklist() if plugin else []:
        possible = dnf.subject.Subject(pattern.lstrip('!')).get_nevra_possibilities(forms=forms)
        names.update(nevra.name for nevra in possible)
    return names


def plugin_named(end):
    return next((module for name, module in list(sys.modules.items()) if name.endswith(end)), None)


# What needs-restarting takes for a reason to start the host anew, where it is installed, with the host's own
# additions.
def tell_reboot_names(base):
    plugin = plugin_named('needs_restarting')
    names = set(getattr(plugin, 'NEED_REBOOT', []))
    if names and hasattr(plugin, 'get_options_from_dir'):
        place = os.path.join(base.conf.installroot, 'etc/dnf/plugins/needs-restarting.d/')
        names.update(plugin.get_options_from_dir(place, base))
    for name in sorted(names):
        tell('reboots', name)


def artifact_of(package):
    return '%s-%d:%s-%s.%s' % (package.name, package.epoch, package.version, package.release, package.arch)


# The streams of modules that each package is of, as NAME:STREAM; and names of packages by the active streams that
# have them.
def module_streams(base):
    streams, active = {}, {}
    container = getattr(base, '_moduleContainer', None)
    for module in container.getModulePackages() if container else []:
        stream = '%s:%s' % (module.getName(), module.getStream())
        is_active = container.isModuleActive(module)
        for artifact in module.getArtifacts():
            streams.setdefault(artifact, set()).add(stream)
            if is_active:
                active.setdefault(artifact.rsplit('-', 2)[0], stream)
    return streams, active


# What modules hide of newer versions: of the stream that the installed package is of, and of no stream at all. Other
# streams are a choice, not an update.
def tell_modular(base, query):
    streams, active = module_streams(base)
    beside = beside_names(base)
    for package in query:
        own = set()
        for old in base.sack.query().installed().filter(name=package.name, arch=package.arch):
            own |= streams.get(artifact_of(old), set())
        of = streams.get(artifact_of(package), set())
        stream = min(of & own) if of & own else active.get(package.name) if not of else None
        if stream:
            tell('modular', package.name, package.arch, package.evr, package.reponame, package.downloadsize,
                 package.sourcerpm or '', 'beside' if package.name in beside else '', stream)


# Red Hat's own host that subscription-manager does not know, and that no client certificate lets in elsewhere either.
def tell_registration(base):
    is_known = os.path.exists('/etc/pki/consumer/cert.pem') or any(r.sslclientcert for r in base.repos.iter_enabled())
    if not is_known and base.sack.query().installed().filter(name='redhat-release'):
        tell('unregistered')


def tell_advisories(base):
    import hawkey
    kinds = {hawkey.ADVISORY_SECURITY: 'security', hawkey.ADVISORY_BUGFIX: 'bugfix',
             hawkey.ADVISORY_ENHANCEMENT: 'enhancement'}
    for item in base.sack.query().installed().get_advisory_pkgs(hawkey.GT):
        advisory = item.get_advisory(base.sack)
        cves = [ref.id for ref in advisory.references if ref.type == hawkey.REFERENCE_CVE]
        tell('advisory', item.name, item.arch, item.evr, advisory.id, kinds.get(advisory.type, 'other'),
             advisory.severity or '', int(advisory.updated.timestamp()), ','.join(sorted(set(cves))))


# False where nothing goes together; the reasons are reported.
def resolve(base):
    import dnf.exceptions
    import dnf.util
    try:
        base.resolve()
        is_resolved = True
    except dnf.exceptions.DepsolveError as error:
        trouble(error)
        is_resolved = False
    if is_resolved:
        for rule in base._goal.problem_rules():
            trouble('; '.join(rule))
    return is_resolved


def tell_transaction(base):
    import dnf.transaction as kinds
    beside = beside_names(base)
    newest = {}
    for key, versions in with_versions(base, base.sack.query().installed()).items():
        newest[key] = versions[0][0]
    for item in base.transaction or []:
        package = item.pkg
        if item.action in (kinds.PKG_INSTALL, kinds.PKG_UPGRADE, kinds.PKG_OBSOLETE, kinds.PKG_DOWNGRADE,
                           kinds.PKG_REINSTALL):
            size = 0 if os.path.exists(package.localPkg()) else package.downloadsize
            tell('in', package.name, package.arch, newest.get((package.name, package.arch), ''), package.evr,
                 package.reponame, size, 'beside' if package.name in beside else '')
        elif item.action != kinds.PKG_UPGRADED:
            tell('out', package.name, package.arch, package.evr)


# Packages that would replace an installed one of another name: they go in with a removal, which is refused.
def obsoleters(base):
    installed = base.sack.query().installed()
    found = {}
    for package in base.sack.query().available().filter(obsoletes=installed):
        for reldep in package.obsoletes:
            for old in installed.filter(name=str(reldep).split(' ')[0]):
                if old.name != package.name and base.sack.query().filter(pkg=[package], obsoletes=[old]):
                    found.setdefault(package, []).append(old)
    return found


# Why dnf keeps these back, each asked for alone. As many as people read.
def tell_reasons(base, packages):
    base.conf.best = True
    for package in packages[:20]:
        base.reset(goal=True)
        base.package_upgrade(package)
        resolve(base)


def scan(place):
    import hawkey
    base = open_base(place)
    load_lists(base)
    everything = base.sack.query(flags=hawkey.IGNORE_REGULAR_EXCLUDES).upgrades()
    visible = base.sack.query().upgrades().apply()
    tell_versions(base, 'version', visible)
    tell_versions(base, 'hidden', everything.difference(visible).latest())
    modular = base.sack.query(flags=hawkey.IGNORE_MODULAR_EXCLUDES).upgrades()
    tell_modular(base, modular.difference(visible).latest())
    tell_reboot_names(base)
    tell_registration(base)
    for name in sorted(locked_names()):
        tell('locked', name)
    tell_advisories(base)
    replacing = obsoleters(base)
    for package, replaced in replacing.items():
        for old in replaced:
            tell('rename', old.name, old.arch, old.evr, package.name, package.arch, package.evr, package.reponame)
    base.sack.add_excludes(base.sack.query().filter(pkg=list(replacing)))
    # Otherwise one package that cannot go in keeps all others back.
    base.conf.best = False
    latest = list(base.sack.query().upgrades().latest())
    base.upgrade_all()
    if resolve(base):
        tell_transaction(base)
        goes_in = {package.name for package in base.transaction.install_set} if base.transaction else set()
        tell_reasons(base, [package for package in latest if package.name not in goes_in])


def unescaped(cell):
    return re.sub('=([0-3][0-7][0-7])', lambda match: chr(int(match.group(1), 8)), cell)


# Only the packages of the rows are in reach, besides what is installed. Rows of what is not installed go in where
# another needs them.
def resolve_rows(base, rows):
    base.conf.best = False
    available = base.sack.query().available()
    wanted = available.filter(empty=True)
    for name, arch, evr in rows:
        wanted = wanted.union(available.filter(name=name, arch=arch, evr=evr))
    wanted = wanted.difference(available.filter(pkg=list(obsoleters(base)))).apply()
    present = {(package.name, package.arch) for package in base.sack.query().installed()}
    base.sack.add_excludes(available.difference(wanted))
    for package in wanted:
        if (package.name, package.arch) in present:
            base.package_upgrade(package)
    return resolve(base)


def simulate(place, *words):
    rows = [[unescaped(cell) for cell in word.split(',')] for word in words]
    base = open_base(place)
    load_lists(base)
    names = [name for name, _, _ in rows]
    tell_versions(base, 'version', base.sack.query().available().filter(name=names))
    if resolve_rows(base, rows):
        tell_transaction(base)
PYTHON
}

# What answers a scan or a simulation, behind it.
dnf_looking() {
  cat <<'PYTHON'


def main(verb, *words):
    try:
        with tempfile.TemporaryDirectory(prefix='fettle.') as place:
            globals()[verb](place, *words)
        tell('end')
    except Exception as error:
        tell('error', type(error).__name__, error)



main(*sys.argv[1:])
PYTHON
}
