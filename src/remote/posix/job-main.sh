# shellcheck shell=sh
case $verb in
  run) run_job ;;
  start | follow | collect | sweep | stat)
    begin
    case $verb in
      start)
        start_job
        if [ "$(number wait 0)" -gt 0 ]; then follow_job; else job_status; fi
        ;;
      follow) follow_job ;;
      collect) collect_job ;;
      sweep) sweep_jobs ;;
      stat) job_status ;;
    esac
    end
    ;;
  *) bad_request "a job has no verb $verb" ;;
esac
