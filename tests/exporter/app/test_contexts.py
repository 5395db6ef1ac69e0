import json
from pathlib import Path

from exporter.app import load
from exporter.settings import Settings
from tests.exporter.conftest import free_port
from tests.exporter.protocols import netsnmp
from tests.exporter.serving import calling, made

USER = {
    "version": 3,
    "username": "ann",
    "security_level": "authNoPriv",
    "auth_protocol": "SHA",
    "password": "correct horse",
}

NAME = {"name": "sysName", "oid": "1.3.6.1.2.1.1.5", "type": "DisplayString"}
ENGINE = "8000000001020304"


async def test_parameters(tmp_path: Path) -> None:
    """`snmp_context` and `snmp_engineid` choose what an SNMPv3 agent speaks of."""
    port, behind = free_port(), free_port()
    configuration = (
        'createUser ann SHA "correct horse"\nrouser ann auth\nsysName edge1\n'
        "view all included .1\nrouser ann auth -V all vlan-7\n"
        f"proxy -Cn vlan-7 -v 2c -c public 127.0.0.1:{behind} .1.3.6.1.2.1.1\n"
    )
    answers: list[bytes] = []

    def seen(answer: bytes) -> bytes:
        answers.append(answer)
        return answer

    exporter = made(tmp_path)
    auths = tmp_path / "auths.yml"
    quick = {"walk": ["1.3.6.1.2.1.1"], "timeout": "100ms", "retries": 3, "metrics": [NAME]}
    auths.write_text(json.dumps({"auths": {"ann": USER}, "modules": {"quick": quick}}))
    exporter.configuration = load(Settings(config_files=(str(auths),)))
    with (
        netsnmp.running(tmp_path / "behind", "rocommunity public\nsysName behind\n", behind),
        netsnmp.running(tmp_path / "agent", configuration, port),
    ):
        async with calling(exporter) as client:
            url = f"/snmp?target=127.0.0.1:{port}&auth=ann&module=quick"
            plain = await client.get(url)
            context = await client.get(f"{url}&snmp_context=vlan-7")
            unknown = await client.get(f"{url}&snmp_context=vlan-8")
            async with netsnmp.between(port, seen) as relayed:
                url = url.replace(str(port), str(relayed))
                await client.get(f"{url}&snmp_engineid={ENGINE}")

    assert 'sysName{sysName="edge1"} 1' in plain.text
    assert 'sysName{sysName="behind"} 1' in context.text
    assert unknown.status_code == 500
    assert "the agent has no context 'vlan-8'" in unknown.text
    assert any(bytes.fromhex(ENGINE) in answer for answer in answers)
