# shellcheck shell=sh
# Runs in the root of every flavour once. LAB_PASSWORD is the password of the accounts.
for user in patch guest; do
  useradd --create-home --shell /bin/bash "$user"
done
for user in root patch guest; do
  printf '%s:%s\n' "$user" "$LAB_PASSWORD" | chpasswd
done
rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/sshd_config.d/lab.conf <<CONFIG
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication yes
CONFIG

rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -rf /usr/share/doc/* /usr/share/locale/* /usr/share/man/*
cat >/etc/apt/sources.list.d/lab.sources <<SOURCES
Types: deb
URIs: copy:/srv/repo
Suites: bookworm bookworm-updates bookworm-security
Components: main
Signed-By: /etc/apt/keyrings/lab.asc
SOURCES
printf 'Acquire::Languages "none";\n' >/etc/apt/apt.conf.d/90lab
printf 'force-unsafe-io\n' >/etc/dpkg/dpkg.cfg.d/lab

mkdir -p /srv/repo /etc/apt/keyrings /etc/fettle-lab /var/lib/fettle-lab
: >/var/lib/fettle-lab/postinst.log
tools=/usr/local/lib/fettle-lab
chmod 755 "$tools"/*
dpkg-divert --quiet --local --rename --divert /usr/bin/uname.real --add /usr/bin/uname
ln -s "$tools/uname" /usr/bin/uname
