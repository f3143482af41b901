"""Settings from the environment (`NEWSLETTER_…`, or `NEWSLETTER_…_FILE` for secrets) or a `newsletter.toml`.

Every field is documented in `docs/reference/settings.md`. A wrong value is refused with the setting's name and what it
should be; nothing is read before `load` is called.
"""

import os
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from newsletter.delivery.slot import DaysOff, Schedule, Slot
from newsletter.render.dkim import KeyRefused, Signer
from newsletter.render.publication import Publication
from newsletter.setting_values import (
    MOST_MINUTES_LATE,
    About,
    BareAddress,
    BaseUrl,
    DayOff,
    DomainSettings,
    ListId,
    Mailbox,
    Network,
    OneLine,
    Pieces,
    Seconds,
    SecretKey,
    Servers,
    ServerSettings,
    Share,
    SlotTime,
    SmtpUrl,
    WeekDay,
    Words,
    Zone,
)

PREFIX = "NEWSLETTER_"
TOML = Path("newsletter.toml")
_Kind = TypeVar("_Kind", bound=BaseSettings)
_TABLES = ("servers", "domains")
"""The settings that are lists of tables."""


CHOOSABLE = (
    "about",
    "about_en",
    "postal_address",
    "reply_to",
    "staff",
    "approval",
    "slot",
    "days_off",
    "weekly_day",
    "too_late_minutes",
    "canary",
    "unknown",
    "sign_ups_per_hour",
)
"""What may be changed in the browser while everything runs: nothing secret, nothing that leads mail elsewhere."""


class SettingsRefused(Exception):
    """A setting is missing or wrong; the message names it and says what it should be."""


class ValueRefused(SettingsRefused):
    """A value that was chosen for a setting cannot be.

    `name` is the setting's, `problem` what is wrong; `piece` is the wrong one of several, empty where it is one value.
    """

    def __init__(self, name: str, errors: Sequence[ErrorDetails]) -> None:
        super().__init__("\n".join(_say(error) for error in errors))
        self.name, self.problem = name, _problem(errors[0])
        self.piece = str(errors[0]["input"]) if len(errors[0]["loc"]) > 1 else ""


class ThemeSettings(BaseSettings):
    """Where an operator's own themes lie: all that trying a theme needs to know."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    themes: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was handed over (the contents of `…_FILE`s) beats the environment, which beats the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, TOML)


class Settings(ThemeSettings):
    """All that an operator can set."""

    model_config = SettingsConfigDict(extra="forbid")

    database_url: Annotated[OneLine, Field(repr=False)] = "sqlite:///newsletter.db"
    smtp_url: SmtpUrl = SecretStr("smtp://127.0.0.1:25")
    servers: Servers = ()
    domains: tuple[DomainSettings, ...] = ()
    sender: Annotated[Mailbox, Field(min_length=3)] = "Newsletter <newsletter@example.org>"
    reply_to: Mailbox = ""
    envelope_sender: BareAddress = ""
    list_id: ListId = ""
    inbound_address: BareAddress = ""
    postal_address: OneLine = ""
    about: About = ""
    about_en: About = ""
    base_url: BaseUrl = "http://127.0.0.1:8000"
    secret_key: SecretKey
    former_secret_keys: Annotated[tuple[SecretKey, ...], *Words] = ()
    trusted_proxies: Annotated[tuple[Network, ...], *Words] = ()
    """Whose word is taken for where a visitor comes from; nobody's by default."""
    sign_ups_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """How many confirmation mails may be asked for in all; who fills the form for others gets no further."""
    staff: Annotated[tuple[BareAddress, ...], *Pieces] = ()
    approval: Literal["anyone", "second"] = "anyone"
    """Who may release an issue: anyone with the right, or only somebody else than who wrote it last."""
    zone: Zone = "Asia/Shanghai"
    slot: SlotTime = ""
    days_off: Annotated[tuple[DayOff, ...], *Pieces] = ()
    weekly_day: WeekDay = "fri"
    """The day of the week of readers who read weekly and chose none."""
    too_late_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES_LATE)] = 120
    """A slot or an appointment that was missed by more than this is not made up for; the staff are told."""
    connections: Annotated[int, Field(ge=1, le=1000)] = 10
    messages_per_second: Annotated[float, Field(gt=0)] | None = None
    messages_per_connection: Annotated[int, Field(ge=1)] | None = None
    theme: OneLine = "daily"
    report_theme: OneLine = "digest"
    weekly_theme: OneLine = "weekly"
    connect_timeout_seconds: Seconds = 60
    command_timeout_seconds: Seconds = 300
    """RFC 5321 §4.5.3.2.2 and 3 ask 5 minutes for MAIL and RCPT."""
    data_timeout_seconds: Seconds = 120
    block_timeout_seconds: Seconds = 180
    final_dot_timeout_seconds: Seconds = 600
    """RFC 5321 §4.5.3.2.6: the final dot may take 10 minutes to be answered; less doubles mail (RFC 1047)."""
    drain_seconds: Seconds = 30
    give_up_hours: Annotated[float, Field(gt=0, le=120)] = 24
    """How long a deferred message is tried again, counted from its due time; at most 5 days (RFC 5321 §4.5.4.1)."""
    unknown: Literal["hold", "resend"] = "hold"
    canary: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    canary_error_share: Share = 0.1
    error_share: Share = 0
    dkim_domain: OneLine = ""
    dkim_selector: OneLine = ""
    dkim_key: SecretStr = SecretStr("")
    dkim_ed25519_selector: OneLine = ""
    dkim_ed25519_key: SecretStr = SecretStr("")

    @property
    def smtp_servers(self) -> tuple[ServerSettings, ...]:
        """The servers that mail is handed to: those of the tables, else the one of `smtp_url`."""
        return self.servers or (
            ServerSettings(
                url=self.smtp_url,
                messages_per_second=self.messages_per_second,
                messages_per_connection=self.messages_per_connection,
            ),
        )

    def with_chosen(self, values: Mapping[str, Any], refusing: Collection[str] = ()) -> "Settings":
        """These settings with what was chosen in the browser, where environment and file say nothing.

        A value that cannot be is left out, but one whose name is in `refusing` raises `SettingsRefused`.
        """
        settings = self.model_copy()
        for name in refusing:
            if name not in CHOOSABLE:
                raise SettingsRefused(f"{PREFIX}{name.upper()} cannot be changed here.")
            if name in self.model_fields_set:
                raise SettingsRefused(
                    f"{PREFIX}{name.upper()} cannot be changed here: the environment or {TOML} names it, and has the "
                    "last word. Change it there and restart, or take it out."
                )
        for name, value in values.items():
            if name not in CHOOSABLE or name in self.model_fields_set:
                continue
            try:
                self.__pydantic_validator__.validate_assignment(settings, name, value)
            except ValidationError as refused:
                if name in refusing:
                    raise ValueRefused(name, refused.errors()) from None
        return settings

    @property
    def unknown_wait(self) -> timedelta:
        """How long a message of unknown fate is left alone before it may be sent again.

        Longer than a server may still be at work on the first copy: every time-out of a transaction after the claim.
        """
        steps = self.command_timeout_seconds * 2 + self.data_timeout_seconds + self.block_timeout_seconds
        return timedelta(seconds=steps + self.final_dot_timeout_seconds + 60)

    @property
    def give_up_after(self) -> timedelta:
        """How long after its due time a message is tried again, or waits for a machine that was down."""
        return timedelta(hours=self.give_up_hours)

    @property
    def time_zone(self) -> ZoneInfo:
        """The newsletter's own zone: what "today" and an issue's date mean."""
        return ZoneInfo(self.zone)

    @property
    def schedule(self) -> Schedule | None:
        """When issues go out by themselves; None where no slot is set."""
        if not self.slot:
            return None
        return Schedule(Slot.parse(self.slot), self.time_zone, DaysOff.parse(self.days_off))

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secret keys, the present one first."""
        return tuple(key.get_secret_value().encode() for key in (self.secret_key, *self.former_secret_keys))

    @property
    def signer(self) -> Signer | None:
        """What signs the mail (DKIM), where a key is set; raises `SettingsRefused` for keys that cannot sign."""
        if not self.dkim_key.get_secret_value():
            return None
        try:
            return Signer.load(
                self.dkim_domain,
                self.dkim_selector,
                self.dkim_key.get_secret_value(),
                self.dkim_ed25519_selector,
                self.dkim_ed25519_key.get_secret_value(),
            )
        except KeyRefused as refusal:
            raise SettingsRefused(f"{PREFIX}{refusal}") from None

    @property
    def publication(self) -> Publication:
        """What of this shows in a mail; list id and return path derive from the sender where they are not set."""
        address = parseaddr(self.sender)[1]
        local, _, domain = address.rpartition("@")
        return Publication(
            sender=self.sender,
            envelope_sender=self.envelope_sender or address,
            list_id=self.list_id or f"<{re.sub(r'[^A-Za-z0-9-]+', '-', local).strip('-') or 'list'}.{domain}>",
            base_url=self.base_url,
            reply_to=self.reply_to,
            inbound_address=self.inbound_address,
            postal_address=self.postal_address,
            zone=self.zone,
        )


def load() -> Settings:
    """Read the settings, or raise `SettingsRefused` for each one that is missing or wrong."""
    return _checked(Settings, _from_files())


def load_themes_folder() -> Path | None:
    """Where the operator's own themes lie, whatever else is set."""
    return _checked(ThemeSettings, {}).themes


def _checked(kind: type[_Kind], values: dict[str, Any]) -> _Kind:
    try:
        return kind(**values)
    except ValidationError as refused:
        raise SettingsRefused("\n".join(_say(error) for error in refused.errors())) from None
    except ValueError as broken:  # the TOML parser's own error
        raise SettingsRefused(
            f"{TOML}: {broken}. Mend the file; docs/reference/settings.md lists what it may say."
        ) from None


def write_first_settings(path: Path = TOML) -> bool:
    """Write a fresh secret key into the settings file, which may be there, where there is none; say whether it did."""
    if f"{PREFIX}SECRET_KEY" in os.environ or f"{PREFIX}SECRET_KEY_FILE" in os.environ:
        return False
    there = path.read_text("utf-8") if path.exists() else ""
    if re.search(r"^\s*secret_key\s*=", there, re.MULTILINE):
        return False
    path.touch(mode=0o600)  # nobody else may read the key, not even for a moment
    key = (
        f'# Keep this key: links in mails that were sent are signed with it.\nsecret_key = "{secrets.token_hex(32)}"\n'
    )
    path.write_text(key + there, "utf-8")
    return True


def _from_files() -> dict[str, Any]:
    """The values of settings that are given as `NEWSLETTER_NAME_FILE`, for containers that mount their secrets."""
    values = {}
    secrets_too = ("dkim_key", "dkim_ed25519_key")
    for field in ("secret_key", "former_secret_keys", "smtp_url", "database_url", *secrets_too):
        variable = f"{PREFIX}{field.upper()}_FILE"
        if variable in os.environ:
            try:
                values[field] = Path(os.environ[variable]).read_text("utf-8").strip()
            except OSError as reason:
                raise SettingsRefused(
                    f"{variable}: {os.environ[variable]} cannot be read ({reason.strerror})."
                ) from None
    return values


def _say(error: object) -> str:
    detail = dict(error) if isinstance(error, dict) else {}
    if len(detail["loc"]) > 1 and detail["loc"][0] in _TABLES:
        return _say_of_table(detail)
    name = ".".join(str(part) for part in detail["loc"]).upper()
    if detail["type"] == "missing":
        return f"{PREFIX}{name} is not set. Run `newsletter init` once, or set it as docs/reference/settings.md says."
    if detail["type"] == "extra_forbidden":
        return f"{TOML}: there is no setting {name.lower()}; docs/reference/settings.md lists them all."
    return f"{PREFIX}{name}: {_problem(detail)}."


def _problem(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, without its name."""
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")


def _say_of_table(detail: dict[str, Any]) -> str:
    """Say what is wrong in one of several tables, which the operator knows by its place in the file."""
    table, place, *keys = detail["loc"]
    where = f"{TOML}: [[{table}]] no. {place + 1}"
    name = next((key for key in keys if isinstance(key, str)), "")
    if detail["type"] == "missing":
        return f"{where}: {name} is missing; docs/reference/settings.md says what it is."
    if detail["type"] == "extra_forbidden":
        return f"{where}: there is no {name}; docs/reference/settings.md lists what it may say."
    what = "needs at least one" if detail["type"] == "too_short" else _problem(detail)
    return f"{where}: {name}{': ' if name else ''}{what}."
