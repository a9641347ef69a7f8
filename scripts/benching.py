"""What the scripts that measure tulk beside other programs share: programs in turn on a quiet machine, tables."""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QUIET = 0.05  # share of the machine's time that others may take

# The peer's configurations as options of tulk. Presets are what trains best; these stay what the peer has.
BAHDANAU = ["--preset", "bahdanau", "--d-emb", "256", "--d-model", "512", "--d-attention", "512", "--d-readout", "512",
            "--tie", "none", "--dropout", "0.2"]
PEER = {
    "tiny": ["--preset", "tiny", "--norm", "post", "--dropout", "0.3"],
    "small": ["--preset", "small", "--dropout", "0.3"],
    "base": ["--preset", "base"],
    "rnn-gru": ["--preset", "seq2seq", "--enc-layers", "2", "--dec-layers", "2", "--d-emb", "256", "--d-model", "512",
                "--d-readout", "0", "--context", "init", "--tie", "none", "--dropout", "0.2"],
    "bahdanau-gru": BAHDANAU,
    "bahdanau-lstm": BAHDANAU + ["--cell", "lstm"],
}


def stop(message):
    sys.exit("%s: %s" % (os.path.basename(sys.argv[0]), message))


def say(message):
    print(message, file=sys.stderr, flush=True)


def machine_busy():
    """Seconds that all cores together were busy since the start of the machine."""
    with open("/proc/stat") as f:
        ticks = [int(x) for x in f.readline().split()[1:]]
    return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK")


def own_busy():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(u.ru_utime + u.ru_stime for u in both)


def check_quiet(busy_is_fine, cpu_time):
    before, own, start = machine_busy(), own_busy(), time.monotonic()
    time.sleep(3)
    share = (machine_busy() - before - own_busy() + own) / (time.monotonic() - start) / os.cpu_count()
    if share <= QUIET or cpu_time:
        return
    text = "others take %.0f %% of this machine (load %.2f); " % (100 * share, os.getloadavg()[0])
    if not busy_is_fine:
        stop(text + "wait until it is quiet, or add --busy and do not trust the figures")
    say("WARNING: " + text + "figures are not to be trusted")


class Turns:
    """Runs programs, and counts how often others disturbed them."""

    def __init__(self, args):
        self.args, self.disturbed, self.runs = args, 0, 0
        self.clock = ["--cpu-time"] if args.cpu_time else []

    def run(self, command, env=None):
        """The JSON of the command's last line."""
        before, own, start = machine_busy(), own_busy(), time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, **(env or {})))
        if done.returncode:
            stop("%s failed:\n%s" % (" ".join(command), done.stderr))
        share = (machine_busy() - before - own_busy() + own) / (time.monotonic() - start) / os.cpu_count()
        self.runs += 1
        self.disturbed += share > QUIET
        return json.loads(done.stdout.strip().split("\n")[-1])


def middle(rows, key):
    return statistics.median(r[key] for r in rows)


def spread(values, form="%.2f"):
    return (form + " (" + form + " - " + form + ")") % (statistics.median(values), min(values), max(values))


def table(title, rows):
    print("\n| " + " | ".join(title) + " |\n|" + "---|" * len(title))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def common_arguments(ap):
    ap.add_argument("--peer", required=True, metavar="DIR", help="folder of the programs for PyTorch")
    ap.add_argument("--tulk", default=os.path.join(ROOT, "build", "cmd", "tulk"), metavar="FILE", help="build/cmd/tulk")
    ap.add_argument("--threads", type=int, default=os.cpu_count(), metavar="N", help="all cores")
    ap.add_argument("--turns", type=int, default=5, metavar="N", help="alternations (5)")
    ap.add_argument("--busy", action="store_true", help="go on although the machine is not quiet")
    ap.add_argument("--cpu-time", action="store_true", help="one thread, by its processor time")
    ap.add_argument("--keep", metavar="FILE", help="write all figures there, JSON, as they come")


def check_arguments(args):
    args.peer = os.path.abspath(args.peer)
    args.threads = 1 if args.cpu_time else args.threads
    if not os.access(args.tulk, os.X_OK):
        stop("%s is not there; build it (ninja -C build) or name it with --tulk" % args.tulk)
    data = os.path.join(args.peer, "data", "train.")
    if not os.path.exists(data + "ids.en"):
        stop("%sids.en is not there; run setup.sh in %s" % (data, args.peer))
    check_quiet(args.busy, args.cpu_time)
