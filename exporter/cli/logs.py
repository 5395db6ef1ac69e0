"""Logs on stderr, as logfmt or one JSON object a line."""

import json
import logging

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up(level: str, style: str) -> None:
    """Log what is at least of a level, in a style: `logfmt` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else Logfmt())
    logging.basicConfig(level="WARNING" if level == "warn" else level.upper(), handlers=[handler])
    for noisy in ("httpx", "httpcore", "uvicorn.error", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with its extra fields."""
        return json.dumps(_fields(self, record), ensure_ascii=False, default=str)


class Logfmt(logging.Formatter):
    """`key=value` pairs, values quoted where they hold more than a word."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with its extra fields."""
        pairs = ((key, str(value)) for key, value in _fields(self, record).items())
        return " ".join(
            f"{key}={value if value.isalnum() else json.dumps(value, ensure_ascii=False)}"
            for key, value in pairs
        )


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {
        "time": formatter.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
        "level": record.levelname.lower(),
        "source": record.name,
        "msg": record.getMessage(),
    }
    fields |= {key: value for key, value in vars(record).items() if key not in STANDARD}
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return fields
