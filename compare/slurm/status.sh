#!/bin/sh
# What became of a job, for Snakemake, which without this would wait for ever for one that Slurm ended: running, success or failed.
said=$(squeue --noheader --states=all --jobs="${1%%;*}" --format=%T 2>&1) || case $said in
*"Invalid job id"*) said=forgotten ;;
*) said=RUNNING ;; # Slurm does not answer now; it is asked again
esac
case $said in
COMPLETED) echo success ;;
PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | STOPPED | REQUEUED | REQUEUE_HOLD | REQUEUE_FED | RESIZING | SIGNALING | STAGE_OUT) echo running ;;
*) echo failed ;;
esac
