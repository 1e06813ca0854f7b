"""Runbooks that cannot rot: Markdown whose command blocks are executed and whose shown output is compared.

``document`` reads one, ``shell`` runs its blocks in one bash, ``shown_output`` compares, ``play`` puts them together.
"""
