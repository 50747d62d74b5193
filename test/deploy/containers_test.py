"""The Containerfile and the manifests for Kubernetes (docs/kubernetes.md).

No image is built here. The Containerfile's steps are parsed, its packages are looked up, and its run-time packages are
those of the libraries that the programs link. The manifests are checked against the fields of Kubernetes' API (v1.33) and of
the operator's PodMonitor (0.93.0), as far as they use them.

Usage: containers_test.py EXPORTER RULEGEN
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = [pathlib.Path(sys.argv.pop()).resolve(), pathlib.Path(sys.argv.pop()).resolve()]
DEPLOY = ROOT / "deploy"


def output(*command, **how):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True, **how).stdout


def is_debian_12():
    return 'VERSION_ID="12"' in pathlib.Path("/etc/os-release").read_text(encoding="utf-8")


def steps():
    """The Containerfile's instructions with their arguments, comments removed and continued lines joined."""
    lines = [line for line in (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def packages(step):
    return [word for word in re.sub(r"&&.*", "", step.split("install", 1)[1]).split() if not word.startswith("--")]


class Containerfile(unittest.TestCase):
    def test_the_last_of_two_stages_is_not_roots(self):
        names = [name for name, _ in steps()]
        self.assertLessEqual(set(names), {"ARG", "FROM", "RUN", "COPY", "USER", "EXPOSE", "ENTRYPOINT", "CMD"})
        self.assertEqual(names.count("FROM"), 2)
        user = [arguments for name, arguments in steps() if name == "USER"]
        self.assertRegex(user[-1], r"^[1-9][0-9]*:[1-9][0-9]*$")
        self.assertGreater(names.index("USER"), max(i for i, name in enumerate(names) if name == "RUN"))
        for name, arguments in steps():
            if name in ("ENTRYPOINT", "CMD"):
                json.loads(arguments)  # the form that needs no shell and passes signals on

    def test_the_shell_takes_every_step(self):
        for name, arguments in steps():
            if name == "RUN":
                output("sh", "-n", "-c", arguments)

    def test_what_is_copied_is_there(self):
        sources = [arguments.split()[:-1] for name, arguments in steps() if name == "COPY" and "--from" not in arguments]
        self.assertTrue(sources)
        for source in [word for words in sources for word in words]:
            self.assertTrue((ROOT / source).exists(), source)

    def test_it_builds_with_the_packages_that_the_build_installs(self):
        [build, _] = [packages(arguments) for name, arguments in steps() if name == "RUN" and "install --yes" in arguments]
        listed = re.search(r"build_packages=\((.*?)\)", (ROOT / "run").read_text(encoding="utf-8"), re.DOTALL)[1].split()
        self.assertEqual(sorted(build), sorted(package for package in listed if package != "doctest-dev"))

    @unittest.skipUnless(is_debian_12(), "the names of the run-time packages are Debian 12's")
    def test_it_runs_with_the_packages_of_the_libraries_that_the_programs_link(self):
        [_, run] = [packages(arguments) for name, arguments in steps() if name == "RUN" and "install --yes" in arguments]
        linked = set()
        for program in PROGRAMS:
            for name in re.findall(r"NEEDED +(\S+)", output("objdump", "-p", program)):
                linked.update(line.split(":")[0] for line in output("dpkg", "-S", f"*-linux-gnu/{name}").splitlines())
        always = {"libc6", "libstdc++6", "libgcc-s1"}
        self.assertEqual(sorted(set(run) - {"ca-certificates"}), sorted(linked - always))


def only(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def listed(item):
    return {"type": "array", "minItems": 1, "items": item}


TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
FLAG = {"type": "boolean"}
NUMBER = {"type": "integer"}
QUANTITY = {"type": "string", "pattern": r"^[0-9]+(m|Ki|Mi|Gi)?$"}
QUANTITIES = {"type": "object", "additionalProperties": QUANTITY}
METADATA = only([], name=TEXT, labels=TEXTS)
SELECTOR = only([], matchLabels=TEXTS)
PROBE = only(["httpGet"], httpGet=only(["port"], path=TEXT, port=TEXT))
CONTAINER = only(
    ["name", "image"], name=TEXT, image=TEXT, command=listed(TEXT), args=listed(TEXT), restartPolicy={"const": "Always"},
    env=listed(only(["name"], name=TEXT, value=TEXT)),
    ports=listed(only(["containerPort"], name={"type": "string", "pattern": "^[a-z0-9-]{1,15}$"}, containerPort=NUMBER)),
    readinessProbe=PROBE, livenessProbe=PROBE,
    securityContext=only([], runAsUser=NUMBER, allowPrivilegeEscalation=FLAG, readOnlyRootFilesystem=FLAG,
                         capabilities=only([], drop=listed(TEXT))),
    resources=only([], requests=QUANTITIES, limits=QUANTITIES),
    volumeMounts=listed(only(["name", "mountPath"], name=TEXT, mountPath=TEXT, readOnly=FLAG)))  # subPath on purpose not
VOLUME = only(["name"], name=TEXT, emptyDir=only([], medium={"const": "Memory"}, sizeLimit=QUANTITY),
              persistentVolumeClaim=only(["claimName"], claimName=TEXT))
POD = only(["containers"], initContainers=listed(CONTAINER), containers=listed(CONTAINER), volumes=listed(VOLUME),
           restartPolicy={"enum": ["Never", "OnFailure"]},
           securityContext=only([], runAsNonRoot=FLAG, runAsUser=NUMBER, fsGroup=NUMBER,
                                fsGroupChangePolicy={"enum": ["OnRootMismatch", "Always"]},
                                seccompProfile=only(["type"], type={"const": "RuntimeDefault"})))
CLAIM = only([], accessModes=listed({"const": "ReadWriteOncePod"}), resources=only([], requests=QUANTITIES))
RELABELING = only([], sourceLabels=listed({"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}), separator=TEXT,
                  targetLabel=TEXT, replacement=TEXT)
KINDS = {
    ("apps/v1", "StatefulSet"): only(
        ["selector", "template", "serviceName"], serviceName=TEXT, replicas={"const": 1}, selector=SELECTOR,
        template=only([], metadata=METADATA, spec=POD), volumeClaimTemplates=listed(only([], metadata=METADATA, spec=CLAIM))),
    ("v1", "PersistentVolumeClaim"): CLAIM,
    ("batch/v1", "CronJob"): only(
        ["schedule", "jobTemplate"], schedule=TEXT, concurrencyPolicy={"enum": ["Forbid", "Allow", "Replace"]},
        jobTemplate=only([], spec=only(["template"], backoffLimit=NUMBER, template=only([], spec=POD)))),
    ("monitoring.coreos.com/v1", "PodMonitor"): only(
        ["selector"], selector=SELECTOR, podMetricsEndpoints=listed(only(
            [], port=TEXT, interval={"type": "string", "pattern": "^[0-9]+s$"}, relabelings=listed(RELABELING)))),
}


def documents(name):
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text(encoding="utf-8")))


class Manifests(unittest.TestCase):
    def test_every_field_is_one_of_kubernetes(self):
        for path in sorted((DEPLOY / "kubernetes").glob("*")):
            for document in documents(path.name):
                kind = (document["apiVersion"], document["kind"])
                schema = only(["apiVersion", "kind", "metadata", "spec"], apiVersion=TEXT, kind=TEXT, metadata=METADATA, spec=KINDS[kind])
                jsonschema.Draft202012Validator(schema).validate(document)

    def test_application_and_sidecar_share_the_folders(self):
        stateful, monitor = documents("sidecar.yaml")
        pod = stateful["spec"]["template"]["spec"]
        [sidecar], [application] = pod["initContainers"], pod["containers"]
        mounts = [{mount["name"]: mount for mount in container["volumeMounts"]} for container in (sidecar, application)]
        self.assertEqual({name: mount["mountPath"] for name, mount in mounts[0].items()},
                         {name: mount["mountPath"] for name, mount in mounts[1].items()})
        self.assertTrue(all(mount["readOnly"] for mount in mounts[0].values()))
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        self.assertEqual(volumes["counters"]["emptyDir"]["medium"], "Memory")
        self.assertEqual([claim["metadata"]["name"] for claim in stateful["spec"]["volumeClaimTemplates"]], ["data"])
        # Users of their own, so a group in common.
        self.assertNotEqual(sidecar["securityContext"]["runAsUser"], application["securityContext"]["runAsUser"])
        self.assertIn("fsGroup", pod["securityContext"])
        counters = mounts[0]["counters"]["mountPath"]
        self.assertIn({"name": "OUTGROWN_DIR", "value": counters}, application["env"])
        self.assertIn(f"--block.dir={counters}", sidecar["args"])
        [store] = [argument for argument in sidecar["args"] if argument.startswith("--store=")]
        self.assertEqual(str(pathlib.Path(store.split("=")[2]).parent), mounts[0]["data"]["mountPath"])

        labels = stateful["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(stateful["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(monitor["spec"]["selector"]["matchLabels"], labels)
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        self.assertEqual([port["name"] for port in sidecar["ports"]], [endpoint["port"]])
        instance = next(rule for rule in endpoint["relabelings"] if rule["targetLabel"] == "instance")
        self.assertIn("__meta_kubernetes_pod_name", instance["sourceLabels"])

    def test_the_programs_take_the_arguments(self):
        exporter, rulegen = (output(program, "--help") for program in PROGRAMS[::-1])
        [sidecar] = documents("sidecar.yaml")[0]["spec"]["template"]["spec"]["initContainers"]
        [decision] = documents("evaluate.yaml")[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        for text, arguments in [(exporter, sidecar["args"]), (rulegen, decision["args"])]:
            for argument in arguments:
                self.assertIn(argument.split("=")[0] + " ", text)

    def test_the_pages_scrape_configuration_is_prometheus(self):
        page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
        config = re.search(r"```yaml\n(scrape_configs:.*?)```", page, re.DOTALL)[1]
        # Debian builds Prometheus without Kubernetes.
        config = config.replace("kubernetes_sd_configs:\n      - role: pod\n", "static_configs: []\n")
        done = subprocess.run(["promtool", "check", "config", "/dev/stdin"], input=config, text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
