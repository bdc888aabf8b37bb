# shellcheck shell=sh
case $verb in
  probe | summary | simulate | boot) begin ;;
  *) bad_request "the probe has no verb $verb" ;;
esac
case $verb in
  probe | summary) describe_host ;;
  simulate) simulate ;;
  boot) describe_boot ;;
esac
end
