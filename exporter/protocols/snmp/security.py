"""How to be let in: gufo-snmp's sockets and keys for an auth."""

from gufo.snmp import user as gufo
from gufo.snmp._fast import SnmpV1ClientSocket, SnmpV2cClientSocket, SnmpV3ClientSocket

from exporter.config import Auth

Socket = SnmpV1ClientSocket | SnmpV2cClientSocket | SnmpV3ClientSocket

AUTH_KEYS = {
    "MD5": gufo.Md5Key,
    "SHA": gufo.Sha1Key,
    "SHA224": gufo.Sha224Key,
    "SHA256": gufo.Sha256Key,
    "SHA384": gufo.Sha384Key,
    "SHA512": gufo.Sha512Key,
}
PRIV_KEYS = {
    "DES": gufo.DesKey,
    "AES": gufo.Aes128Key,
    "AES192": gufo.Aes192Key,
    "AES256": gufo.Aes256Key,
}


def open_socket(address: str, auth: Auth) -> Socket:
    """Return a socket that speaks the auth's version to `address:port`; v3 knows no user yet."""
    if auth.version == 1:
        return SnmpV1ClientSocket(address, auth.community, 0, 0, 0, 0)
    if auth.version == 2:  # noqa: PLR2004 - v2c
        return SnmpV2cClientSocket(address, auth.community, 0, 0, 0, 0)
    nobody = gufo.User.default()
    return SnmpV3ClientSocket(address, b"", nobody.name, 0, b"", 0, b"", 0, 0, 0, 0)


def unsupported(auth: Auth) -> str:
    """Return what this module cannot do for an auth, or nothing."""
    if auth.context_name:
        return "context_name is not supported"
    if auth.security_level == "authPriv" and auth.priv_protocol not in PRIV_KEYS:
        return f"priv_protocol {auth.priv_protocol} is not supported"
    return ""


def user(auth: Auth) -> gufo.User:
    """Return the v3 user of an auth."""
    auth_key = priv_key = None
    if auth.security_level != "noAuthNoPriv":
        auth_key = AUTH_KEYS[auth.auth_protocol](auth.password.encode())
    if auth.security_level == "authPriv":
        priv_key = PRIV_KEYS[auth.priv_protocol](auth.priv_password.encode())
    return gufo.User(auth.username, auth_key=auth_key, priv_key=priv_key)
