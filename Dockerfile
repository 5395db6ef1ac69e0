# One image for the control plane, its worker and the exporter; the command chooses.
FROM python:3.13-slim-bookworm AS build
COPY --from=ghcr.io/astral-sh/uv:0.13 /uv /usr/local/bin/uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY . .
RUN uv sync --frozen --no-dev --no-editable

FROM prom/prometheus:v3.16.0 AS prometheus
FROM prom/alertmanager:v0.34.2 AS alertmanager

FROM python:3.13-slim-bookworm
# The account of Prometheus' and Alertmanager's images, which read what the control plane writes.
ARG NOBODY=65534
RUN install -d -o $NOBODY -g $NOBODY /data /data/secrets /data/prometheus /data/exporter \
    /data/rules.local /data/grafana/dashboards
COPY --from=prometheus /bin/promtool /usr/local/bin/promtool
COPY --from=alertmanager /bin/amtool /usr/local/bin/amtool
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH CHM_DATA=/data
USER $NOBODY:$NOBODY
VOLUME /data
CMD ["chm", "serve"]
