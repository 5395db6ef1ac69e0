"""What people send and get when they log in, and look after their account."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from controlplane.auth.models import Delivery
from controlplane.auth.permissions import Permission
from controlplane.auth.policy import MAX_LENGTH
from controlplane.grammar import NOT_NULL, Printable, UnicodeSecret

UserName = Annotated[Printable, Field(max_length=64)]
Password = Annotated[UnicodeSecret, Field(max_length=1024)]
NewPassword = Annotated[UnicodeSecret, Field(max_length=MAX_LENGTH)]
Secret = Annotated[UnicodeSecret, Field(max_length=256)]
Code = Annotated[UnicodeSecret, Field(max_length=64)]
Email = Annotated[Printable, Field(max_length=254)]


class Strict(BaseModel):
    """A request body: a field that means nothing here is refused."""

    model_config = ConfigDict(extra="forbid")


class Login(Strict):
    """A user name, a password, and how the login is kept: as tokens, or as a browser's cookie."""

    name: UserName
    password: Password
    delivery: Delivery = Delivery.BEARER


class LoginWithCode(Strict):
    """The challenge that a right password brought, and a code of the clock or for recovery."""

    challenge: Secret
    code: Code
    delivery: Delivery = Delivery.BEARER


class Refresh(Strict):
    """The refresh token of the last answer."""

    refresh_token: Secret


class LoggedIn(BaseModel):
    """A login: programs get tokens, browsers cookies; `expires_in` seconds it is good unrefreshed.

    Where `challenge` is set nobody is logged in yet: a code has to follow within that time.
    """

    access_token: str | None = None
    refresh_token: str | None = None
    token_type: str = "bearer"  # noqa: S105 - the name of a scheme (RFC 6750), no secret
    expires_in: int
    csrf_token: str | None = None
    challenge: str | None = None


class Me(BaseModel):
    """Who I am and what I may do."""

    id: UUID | None
    name: str
    kind: str
    full_name: str = ""
    email: str | None = None
    second_factor: bool = False
    second_factor_missing: bool = False
    permissions: list[str]


class Profile(Strict):
    """What people may change about themselves."""

    full_name: Annotated[Printable, Field(max_length=128), NOT_NULL] = ""
    email: Email | None = None


class Proof(Strict):
    """That it is still me: my password, or a code."""

    password: Password | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.password is None) == (self.code is None):
            raise ValueError("give the password or a code")
        return self

    def revealed(self) -> tuple[str | None, str | None]:
        """Give password and code in the clear, of which one is None."""
        password, code = self.password, self.code
        return (
            password.get_secret_value() if password is not None else None,
            code.get_secret_value() if code is not None else None,
        )


class PasswordChange(Strict):
    """The password I have and the one I want."""

    current_password: Password
    new_password: NewPassword


class ResetRequest(Strict):
    """Whose password is forgotten: a user name or an address of mail."""

    name: Email


class NewPasswordWithToken(Strict):
    """The token of a link, and the password that is wanted."""

    token: Secret
    new_password: NewPassword


class Registration(Strict):
    """Somebody who makes themselves an account."""

    name: UserName
    email: Email | None = None
    password: NewPassword


class SessionRead(BaseModel):
    """A login that can be used; `current` is the one that asks."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    delivery: Delivery
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    current: bool = False


class SecondFactor(BaseModel):
    """Whether codes are asked for, and how many recovery codes are left."""

    enabled: bool
    recovery_codes_left: int


class SecondFactorSetup(BaseModel):
    """What goes into the telephone, shown once: the secret, its address, and that as a picture."""

    secret: str
    uri: str
    qr_svg: str


class OneCode(Strict):
    """A code of this moment."""

    code: Code


class RecoveryCodes(BaseModel):
    """Codes for whoever lost their telephone, each good once; they are shown this once."""

    recovery_codes: list[str]


class TokenCreate(Strict):
    """A token for a program: what it may do, from where (all networks if none), until when."""

    name: Annotated[Printable, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    networks: Annotated[list[str], Field(max_length=20)] = []
    expires_at: AwareDatetime | None = None


class TokenRead(BaseModel):
    """A token without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    scopes: list[str]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_address: str


class TokenListed(BaseModel):
    """A token of a service or of somebody's program, in the list of all."""

    name: str
    scopes: list[str]
    networks: list[str] = []
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class TokenMade(TokenRead):
    """A token with its secret, this once."""

    token: str
