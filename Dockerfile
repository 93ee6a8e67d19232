# The entrypoint alone, for other images to take it from:
#
#   COPY --from=bootproof/entrypoint /entrypoint /entrypoint
#   ENTRYPOINT ["/entrypoint", "run", "--"]
#
# `make entrypoint` makes the binary that is copied here.
FROM scratch
COPY target/bin/entrypoint /entrypoint
ENTRYPOINT ["/entrypoint", "run", "--"]
