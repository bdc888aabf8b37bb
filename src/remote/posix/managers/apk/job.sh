# shellcheck shell=sh
# Nothing is installed by apk yet; the controller refuses before it comes to this.
apk_install() { finish bad-request 1 'this version installs nothing with apk'; }
