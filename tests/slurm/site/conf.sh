# What the cluster is told about itself. Short timers, so that a test of a lost node or a requeue takes seconds;
# sizes are pretended, so that a plan of many CPUs and GPUs can be allocated on a small machine.
# shellcheck shell=bash

write_hosts() {
  local i
  echo "127.0.0.1 localhost"
  echo "$NET.1 ctl"
  for ((i = 1; i <= NODES; i++)); do echo "$NET.$((10 + i)) n$i"; done
}

# GPUs are null devices: Slurm takes the index for CUDA_VISIBLE_DEVICES from the number at the end of the name.
write_gres() {
  local i last=$((GPUS - 1))
  ((GPUS)) || return 0
  for ((i = 0; i < GPUS; i++)); do
    mknod "$DIR/dev/nvidia$i" c 1 3 2>/dev/null || : >"$DIR/dev/nvidia$i"
    chmod 666 "$DIR/dev/nvidia$i"
  done
  local files="[0-$last]"
  ((last)) || files=0
  echo "NodeName=n[1-$NODES] Name=gpu ${GPU_TYPE:+Type=$GPU_TYPE }File=$DIR/dev/nvidia$files"
}

write_conf() {
  local gres="" i
  ((!GPUS)) || gres="Gres=gpu:${GPU_TYPE:+$GPU_TYPE:}$GPUS"
  cat <<END
ClusterName=cfgc
SlurmctldHost=ctl($NET.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job is held back until its credential has expired: 120 s on real sites.
AuthInfo=socket=$DIR/munge/socket,cred_expire=5
StateSaveLocation=$DIR/state
SlurmdSpoolDir=$DIR/spool/%n
SlurmctldPidFile=$DIR/state/slurmctld.pid
SlurmdPidFile=$DIR/spool/%n.pid
SlurmctldLogFile=$DIR/log/slurmctld.log
SlurmdLogFile=$DIR/log/%n.log
SlurmctldDebug=info
SlurmdDebug=info
# Control groups are not handed to containers in which CI runs.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5
MpiDefault=none
MailProg=/bin/true
PropagateResourceLimits=NONE
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=$NODE_TIMEOUT
KillWait=$KILL_WAIT
MinJobAge=86400
MaxJobCount=20000
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,sched_min_interval=0,batch_sched_delay=0,bf_interval=2,bf_window=1440
JobCompType=jobcomp/filetxt
JobCompLoc=$DIR/log/completed.txt
AccountingStorageType=accounting_storage/none
NodeName=DEFAULT CPUs=$CPUS Boards=1 SocketsPerBoard=1 CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=$MEMORY_MB $gres State=UNKNOWN
END
  for ((i = 1; i <= NODES; i++)); do echo "NodeName=n$i NodeAddr=$NET.$((10 + i))"; done
  cat <<END
PartitionName=main Nodes=n[1-$NODES] Default=YES MaxTime=7-0 PriorityTier=10 PreemptMode=OFF State=UP
PartitionName=low Nodes=n[1-$NODES] MaxTime=7-0 PriorityTier=1 PreemptMode=REQUEUE GraceTime=5 State=UP
END
}

# write_inside: the command that runs another one on the controller or on a node
write_inside() {
  cat <<END
#!/bin/bash
# inside [-n NODE] COMMAND...: run COMMAND on ctl or on NODE: its host name, its network, its ports
host=ctl
if [[ \${1:-} == -n ]]; then
  host=\$2
  shift 2
fi
# Jobs must not inherit the commands that lie beside this one: those are for whoever is outside.
path=:\$PATH:
path=\${path//:"$DIR/bin":/:}
path=\${path#:}
export PATH=\${path%:} SLURM_CONF=$DIR/slurm.conf
# Whoever is on a node already, such as a job, stays there.
if [[ \$host == ctl && \$(readlink /proc/self/ns/net) != "\$(cat $DIR/etc/outside)" ]]; then exec "\$@"; fi
read -r pid _ 2>/dev/null <"$DIR/pid/host-\$host" || {
  echo "inside: there is no host \$host" >&2
  exit 1
}
exec nsenter -t "\$pid" -n -u -m --wdns="\$PWD" -- "\$@"
END
}
