"""The audit: does the data folder keep its rules, and does every figure stand where it says."""

from pasimeta.evidence.audit.folder import audit_folder
from pasimeta.evidence.audit.result import AuditFinding, AuditReport, LocatorCheck

__all__ = ["AuditFinding", "AuditReport", "LocatorCheck", "audit_folder"]
