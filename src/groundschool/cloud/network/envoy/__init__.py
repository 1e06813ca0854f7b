"""The data plane made of Envoy: a network plan in, Envoy's files out; Envoy's logs in, health and requests out."""

from groundschool.cloud.network.envoy.data_plane import EnvoyDataPlane

__all__ = ["EnvoyDataPlane"]
