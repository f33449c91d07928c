"""What starts livnd in containers is well formed, and means the server that there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from serving import LIVND, SYSTEMS, Serve

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes/livnd.yaml").read_text()))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
HANGING_UP_S = 4  # after --drain-timeout


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [made for made in OBJECTS if made["kind"] == kind]
    return found


def flags() -> set[str]:
    text = subprocess.run([str(LIVND), "serve", "--help"], capture_output=True, text=True).stdout
    return set(re.findall(r"^  --([\w-]+)", text, flags=re.M))


def stage(name: str) -> str:
    """The instructions of one stage of the Dockerfile."""
    found = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S)
    return re.sub(r"\\\n\s*", "", found.group(1))


POD = of_kind("StatefulSet")["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
SETTINGS = yaml.safe_load(of_kind("ConfigMap")["data"]["livnd.yaml"])


@pytest.mark.parametrize("version", ["1.27", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("made", OBJECTS, ids=lambda made: made["kind"])
def test_kubernetes_takes_it(made, version):
    kubernetes_validate.validate(made, version, strict=True)


def test_a_mistake_would_be_found():
    wrong = of_kind("PodDisruptionBudget") | {"spec": {"maxUnavailabel": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_it_has_what_keeps_sessions():
    assert {made["kind"] for made in OBJECTS} == {
        "ConfigMap",
        "Service",
        "StatefulSet",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }
    assert of_kind("Service")["spec"]["clusterIP"] == "None"
    assert of_kind("StatefulSet")["spec"]["serviceName"] == of_kind("Service")["metadata"]["name"]
    labels = of_kind("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    assert of_kind("Service")["spec"]["selector"] == labels
    assert of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    assert of_kind("StatefulSet")["spec"]["selector"]["matchLabels"] == labels


def test_volumes_are_mounted_and_hold_what_is_written():
    claims = of_kind("StatefulSet")["spec"]["volumeClaimTemplates"]
    there = {v["name"] for v in POD["volumes"]} | {c["metadata"]["name"] for c in claims}
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert set(mounts) == there
    assert SETTINGS["state-dir"] == mounts["state"]
    assert CONTAINER["args"][2] == mounts["config"] + "/livnd.yaml"
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    assert POD["securityContext"]["runAsNonRoot"]


def test_the_server_takes_the_settings(tmp_path):
    assert set(SETTINGS) <= flags()
    here = {
        "listen": "127.0.0.1:0",
        "metrics-listen": "127.0.0.1:0",
        "systems": str(SYSTEMS),
        "state-dir": str(tmp_path / "state"),
    }
    assert set(here) <= set(SETTINGS)
    config = tmp_path / "livnd.yaml"
    config.write_text(yaml.safe_dump(SETTINGS | here))
    command = [str(LIVND), "serve", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        try:
            assert b'"event":"ready"' in server.stdout.readline()
            server.terminate()
            assert server.wait(60) == 0
        finally:
            server.kill()


def test_the_image_has_what_the_settings_name():
    assert SETTINGS["systems"] in stage("server")
    assert f'VOLUME ["{SETTINGS["state-dir"]}"' in stage("server")
    user = re.search(r"^USER (\d+):(\d+)$", stage("server"), re.M).groups()
    context = POD["securityContext"]
    assert user == (str(context["runAsUser"]), str(context["runAsGroup"]))


def test_the_default_state_folder_is_the_volume():
    """The image sets no --state-dir."""
    variable = re.search(r"^ENV (XDG_STATE_HOME)=(.*)$", stage("server"), re.M)
    home, volume = variable.group(2), SETTINGS["state-dir"]
    assert f"{home}/livnd" == volume
    with Serve() as server:
        before = f"XDG_STATE_HOME={server.folder}/home; export XDG_STATE_HOME; unset HOME"
        command = [str(LIVND), "serve", "--systems", str(SYSTEMS)]
        with subprocess.Popen(
            ["/bin/sh", "-c", f'{before}; exec "$@"', "sh", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as other:
            try:
                other.stdout.readline()
                assert (server.folder / "home/livnd/endpoint.json").exists()
            finally:
                other.kill()


def test_probes_ask_the_server():
    port = SETTINGS["listen"].rpartition(":")[2]
    for probe in ("startupProbe", "readinessProbe"):
        assert CONTAINER[probe]["exec"]["command"][:3] == ["livnd", "health", f"127.0.0.1:{port}"]
    ports = {made["name"]: made["containerPort"] for made in CONTAINER["ports"]}
    assert ports["grpc"] == int(port)
    assert ports["metrics"] == int(SETTINGS["metrics-listen"].rpartition(":")[2])
    # A server that drains must not be taken for a dead one.
    assert CONTAINER["livenessProbe"]["tcpSocket"]["port"] == "grpc"


def test_nobody_is_killed_while_it_drains():
    hook_s = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][-1])
    drain_s = int(SETTINGS["drain-timeout"].removesuffix("s"))
    assert POD["terminationGracePeriodSeconds"] > hook_s + drain_s + HANGING_UP_S
    default = (ROOT / "server/commands/serve.cc").read_text()
    default_s = int(re.search(r"drain_timeout = absl::Seconds\((\d+)\)", default).group(1))
    grace_s = int(COMPOSE["services"]["server"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > default_s + HANGING_UP_S


def test_the_compose_file_means_the_images():
    services = COMPOSE["services"]
    assert set(services) == {"server", "learner"}
    for name, service in services.items():
        built = service["build"]
        assert (DEPLOY / built["context"]).resolve() == ROOT
        assert ROOT / built["dockerfile"] == DEPLOY / "Dockerfile"
        assert built["target"] == name and stage(name)
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        mounts = dict(mount.split(":") for mount in service["volumes"])
        assert set(mounts) <= set(COMPOSE["volumes"])
        declared = re.findall(r'"(/[^"]+)"', re.search(r"^VOLUME .*$", stage(name), re.M).group())
        assert set(declared) <= set(mounts.values())
    assert services["learner"]["depends_on"]["server"]["condition"] == "service_healthy"
    assert re.search(r"^HEALTHCHECK .*livnd health", stage("server"), re.M)


def test_images_run_as_nobody_in_particular_and_the_learner_may_use_the_socket():
    users = {re.search(r"^USER (\S+)$", stage(name), re.M).group(1) for name in COMPOSE["services"]}
    assert users == {"10001:10001"}


def test_what_the_images_copy_is_there_and_not_ignored():
    kept = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split()
        if line[0] == "!"
    }
    assert all((ROOT / path).exists() for path in kept)
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.M)
    for source in copied:
        assert (ROOT / source).exists()
        assert source == "." or source.split("/")[0] in kept
    # Everything that the program is made of.
    for path in ROOT.glob("*/"):
        made_of = (path / "BUILD").exists() or list(path.glob("*/BUILD"))
        if made_of and path.name not in ("tests", "clients", "docs") and not path.is_symlink():
            assert path.name in kept
