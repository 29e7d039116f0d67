# docker build -t scribe .          How to run it: docs/install.md, "In a container".

# Built apart, so that the image people run holds neither pip's cache nor the sources.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE manifest.json ./
COPY bot ./bot
COPY templates ./templates
COPY migrations ./migrations
COPY examples/incidents ./examples/incidents
RUN python -m venv /opt/scribe \
 && /opt/scribe/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.11-slim-bookworm
# The numbers are fixed: whoever mounts a folder of the host at /data has to give it to them. A named volume gets its
# owner from here. There is no VOLUME line: a forgotten -v would then look like a disk that lasts, and some platforms
# refuse it.
RUN groupadd --gid 10001 scribe \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin scribe \
 && install --directory --owner=10001 --group=10001 --mode=700 /data
COPY --from=build /opt/scribe /opt/scribe

# PORT makes it listen on every address of the container; which of them the world sees is docker's -p.
ENV PATH=/opt/scribe/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SCRIBE_DATABASE=/data/scribe.db \
    SCRIBE_EXPORT_DIR=/data/postmortems \
    PORT=3000
WORKDIR /data
USER 10001:10001
EXPOSE 3000

# http.client and not urllib: a proxy that is set for Slack must not be asked for this.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

# As lists: with a shell in between, SIGTERM would not arrive, and nothing in hand would be finished.
ENTRYPOINT ["scribe"]
CMD ["serve"]
