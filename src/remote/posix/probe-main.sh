# shellcheck shell=sh
case $verb in
  probe | state | summary | simulate | fingerprint | boot) begin ;;
  *) bad_request "the probe has no verb $verb" ;;
esac
case $verb in
  probe | state | summary) describe_host ;;
  simulate) simulate ;;
  fingerprint)
    section fingerprint
    host_fingerprint
    ;;
  boot) describe_boot ;;
esac
end
