"""A Slurm of one node for a test: the daemons of Debian's slurm-wlm in a scratch folder, without systemd or munge."""
import getpass, os, pathlib, shutil, socket, subprocess, time

PROGRAMS = ["slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"]
CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SwitchType=switch/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MinJobAge=60
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def sbin(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


class Slurm:
    """with Slurm(folder) as slurm: subprocess.run(..., env=slurm.env)"""
    def __init__(self, folder):
        self.folder, self.host, self.daemons = pathlib.Path(folder), socket.gethostname().split(".")[0], []
        self.env = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"))

    def __enter__(self):
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "slurm.conf").write_text(CONF.format(host=self.host, folder=self.folder, ports=free_ports(2),
                                                            user=getpass.getuser()))
        try:
            self.start("slurmctld")
            self.start("slurmd")
            self.wait("idle")
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, name):
        with open(self.folder / (name + ".log"), "w") as log:
            self.daemons.append(subprocess.Popen([sbin(name), "-D"], stdout=log, stderr=log, env=self.env))

    def __exit__(self, *_):
        for p in reversed(self.daemons):
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def call(self, *words):
        return subprocess.run(words, capture_output=True, text=True, env=self.env, timeout=60).stdout

    def wait(self, state, seconds=30):
        """Until the node is in this state."""
        end = time.monotonic() + seconds
        while state not in self.call("sinfo", "-h", "-o", "%T"):
            if time.monotonic() > end:
                raise RuntimeError("Slurm's node is not %s: %s" % (state, self.call("sinfo")))
            time.sleep(0.1)

    def tasks(self):
        """[(job_task, state)] of all tasks that Slurm remembers."""
        return [tuple(l.split()) for l in self.call("squeue", "-h", "-r", "-t", "all", "-o", "%i %T").splitlines()]

    def fail_node(self, seconds=60):
        """The node goes down under its tasks; how many of them Slurm put back into the queue. They would wait there for
        two minutes, until their credentials have expired. Again when all tasks were just ending."""
        end, again = time.monotonic() + seconds, []
        while not again and time.monotonic() < end:
            running = [t for t, state in self.tasks() if state == "RUNNING"]
            self.call("scontrol", "update", "nodename=" + self.host, "state=down", "reason=test")
            again = [t for t in running if "Restarts=1" in self.call("scontrol", "show", "job", "-o", t)]
            self.call("scontrol", "update", "nodename=" + self.host, "state=resume")
        for t in again:
            self.call("scontrol", "update", "jobid=" + t, "starttime=now")
        return len(again)
