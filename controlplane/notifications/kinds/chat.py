"""Chat: Slack, Microsoft Teams, Telegram, Discord."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from controlplane.notifications.kinds.base import (
    FILES_FOR_ALL,
    HTTP,
    OLDEST,
    Kind,
    Means,
    Secret,
    SecretUrl,
    Text,
    url,
)

TEAMS_WORKFLOWS = (0, 28)  # the first that speaks to workflows; the connectors before are retired


class Slack(Kind):
    """A Slack incoming webhook, or what takes the same (Mattermost, Rocket.Chat).

    https://api.slack.com/messaging/webhooks
    """

    section: ClassVar = "slack_configs"

    kind: Literal["slack"] = "slack"
    url: SecretUrl
    channel: Text | None = None
    username: Text | None = None

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the webhook."""
        yield "url", self.url.get_secret_value()

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `slack_configs`."""
        chosen = {"channel": self.channel, "username": self.username}
        return {
            **means.secret("api_url", self.url.get_secret_value(), OLDEST),
            **{name: value for name, value in chosen.items() if value},
            "color": '{{ template "chm.colour" . }}',
            "title": '{{ template "chm.slack.title" . }}',
            "title_link": '{{ template "chm.public_url" . }}',
            "fallback": '{{ template "chm.slack.title" . }}',
            "text": '{{ template "chm.slack.text" . }}',
            "http_config": HTTP,
        }


class MsTeams(Kind):
    """A Teams workflow that posts what a webhook received.

    https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors
    """

    section: ClassVar = "msteamsv2_configs"
    since: ClassVar = TEAMS_WORKFLOWS

    kind: Literal["msteams"] = "msteams"
    url: SecretUrl

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the workflow."""
        yield "url", self.url.get_secret_value()

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `msteamsv2_configs`."""
        return {
            **means.secret("webhook_url", self.url.get_secret_value(), TEAMS_WORKFLOWS),
            "title": '{{ template "chm.markdown.title" . }}',
            "text": '{{ template "chm.markdown.text" . }}',
            "http_config": HTTP,
        }


class Telegram(Kind):
    """A Telegram bot (https://core.telegram.org/bots/api#sendmessage); its texts are plain."""

    section: ClassVar = "telegram_configs"
    destination: ClassVar = ("api_url",)

    kind: Literal["telegram"] = "telegram"
    bot_token: Secret
    chat_id: Annotated[int, Field(ge=-(2**52), le=2**52)]
    api_url: Annotated[str, Field(max_length=2048), AfterValidator(url)] = (
        "https://api.telegram.org"
    )

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the API."""
        yield "api_url", self.api_url

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `telegram_configs`."""
        return {
            **means.secret("bot_token", self.bot_token.get_secret_value(), FILES_FOR_ALL),
            "api_url": self.api_url,
            "chat_id": self.chat_id,
            "parse_mode": "",  # nothing in a plain text can be mistaken for a mark
            "message": '{{ template "chm.text" . }}',
            "http_config": HTTP,
        }


class Discord(Kind):
    """A Discord webhook; texts go into an embed, where nobody is mentioned by accident.

    https://discord.com/developers/docs/resources/webhook
    """

    section: ClassVar = "discord_configs"

    kind: Literal["discord"] = "discord"
    url: SecretUrl

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the webhook."""
        yield "url", self.url.get_secret_value()

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `discord_configs`."""
        return {
            **means.secret("webhook_url", self.url.get_secret_value(), TEAMS_WORKFLOWS),
            "title": '{{ template "chm.markdown.title" . }}',
            "message": '{{ template "chm.markdown.text" . }}',
            "http_config": HTTP,
        }
