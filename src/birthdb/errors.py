# Generated from sql/errors.toml by `python -m birthdb.errorcatalogue`: edit that, then `make generate`.
"""What the database refuses, as exceptions: one class per SQLSTATE (specification, section 8)."""

from typing import ClassVar

import psycopg


class BirthError(Exception):
    """A refusal by the database: ``sqlstate``, ``message``, ``detail`` (the facts) and ``hint`` (the next step)."""

    sqlstate: ClassVar[str]

    def __init__(self, message: str, detail: str | None = None, hint: str | None = None) -> None:
        """Keep the parts as the database sent them."""
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    @staticmethod
    def from_psycopg(exc: psycopg.Error) -> "BirthError | None":
        """Return the refusal that ``exc`` carries, or None when its SQLSTATE is not in the catalogue."""
        for refusal in BirthError.__subclasses__():
            if refusal.sqlstate == exc.sqlstate:
                diag = exc.diag
                return refusal(diag.message_primary or "", diag.message_detail, diag.message_hint)
        return None


class SwitchConflict(BirthError):
    """NB101: p_dry_run and p_execute contradict each other."""

    sqlstate = "NB101"


class BadArgument(BirthError):
    """NB102: an argument is missing or out of range."""

    sqlstate = "NB102"


class UnknownCollection(BirthError):
    """NB103: the collection is not registered."""

    sqlstate = "NB103"


class PolicyNotRequired(BirthError):
    """NB104: the policy of the collection is not BIRTH_REQUIRED."""

    sqlstate = "NB104"


class IdentityNotEligible(BirthError):
    """NB105: the identity of the collection is not eligible."""

    sqlstate = "NB105"


class IdentityMalformed(BirthError):
    """NB106: the identity definition is malformed."""

    sqlstate = "NB106"


class CodeMissing(BirthError):
    """NB107: an entity code is NULL, blank or longer than 512 bytes."""

    sqlstate = "NB107"


class CodeForeign(BirthError):
    """NB108: an entity code belongs to another collection."""

    sqlstate = "NB108"


class CodeDuplicate(BirthError):
    """NB109: two rows of the collection have the same entity code."""

    sqlstate = "NB109"


class RoleRequired(BirthError):
    """NB110: the login is not a member of the role that this routine requires."""

    sqlstate = "NB110"


class RoutineNotNamed(BirthError):
    """NB111: the statement sent by the client does not name the routine."""

    sqlstate = "NB111"


class IsolationLevel(BirthError):
    """NB112: the routine requires isolation level READ COMMITTED."""

    sqlstate = "NB112"


class TimeoutWouldCut(BirthError):
    """NB113: statement_timeout would cancel the run."""

    sqlstate = "NB113"


class SourceMissing(BirthError):
    """NB114: the source table does not exist or is not an ordinary or partitioned table."""

    sqlstate = "NB114"


class SourcePrivilege(BirthError):
    """NB115: birth_definer lacks a privilege on the source table."""

    sqlstate = "NB115"


class DefinitionInUse(BirthError):
    """NB116: the collection has an open run."""

    sqlstate = "NB116"


class SourceLeftTraces(BirthError):
    """NB119: code on the source table changed the state of this session."""

    sqlstate = "NB119"


class PermitUnknown(BirthError):
    """NB201: the permit does not exist."""

    sqlstate = "NB201"


class PermitNotOpen(BirthError):
    """NB202: the permit is no longer open."""

    sqlstate = "NB202"


class PermitExpired(BirthError):
    """NB203: the permit has expired."""

    sqlstate = "NB203"


class PermitScope(BirthError):
    """NB204: the permit is for another collection, run or purpose."""

    sqlstate = "NB204"


class PermitNotConfirmed(BirthError):
    """NB205: the permit is not confirmed."""

    sqlstate = "NB205"


class PermitExhausted(BirthError):
    """NB206: the permit has too few rows left."""

    sqlstate = "NB206"


class PermitTerms(BirthError):
    """NB207: the terms of the permit are not allowed."""

    sqlstate = "NB207"


class PermitInTheWay(BirthError):
    """NB208: the run already has an open permit."""

    sqlstate = "NB208"


class SeparationOfDuties(BirthError):
    """NB209: one person cannot hold two conflicting duties in a run."""

    sqlstate = "NB209"


class VerdictMissing(BirthError):
    """NB210: the run has no current verdict SAFE."""

    sqlstate = "NB210"


class VerdictMalformed(BirthError):
    """NB211: the verdict does not fit the run."""

    sqlstate = "NB211"


class HomeUnconfirmed(BirthError):
    """NB212: this database is a restored or cloned copy that no DBA has confirmed."""

    sqlstate = "NB212"


class VerdictStands(BirthError):
    """NB213: an earlier verdict NOT_SAFE_NEEDS_FIX is still in force."""

    sqlstate = "NB213"


class RunUnknown(BirthError):
    """NB301: the run does not exist."""

    sqlstate = "NB301"


class RunStatus(BirthError):
    """NB302: the status of the run does not allow this operation."""

    sqlstate = "NB302"


class RunHeld(BirthError):
    """NB303: another session holds the run."""

    sqlstate = "NB303"


class RunTakenOver(BirthError):
    """NB304: another session took over the run."""

    sqlstate = "NB304"


class PlanStale(BirthError):
    """NB305: the plan is out of date."""

    sqlstate = "NB305"


class DeltaMismatch(BirthError):
    """NB306: the expected delta differs from what the run would write."""

    sqlstate = "NB306"


class BoundExceeded(BirthError):
    """NB307: p_max_rows is higher than the permit allows."""

    sqlstate = "NB307"


class ParityBroken(BirthError):
    """NB308: births and source rows of the collection do not reconcile."""

    sqlstate = "NB308"


class FalseDone(BirthError):
    """NB309: births in the registry do not match the ledger row of the run."""

    sqlstate = "NB309"


class SourceChanged(BirthError):
    """NB310: source rows changed after the plan."""

    sqlstate = "NB310"


class StopRequested(BirthError):
    """NB311: a stop of the run was requested."""

    sqlstate = "NB311"


class DriverRequired(BirthError):
    """NB312: only the procedure can execute this run."""

    sqlstate = "NB312"


class BirthsTouched(BirthError):
    """NB313: births of the run were changed or referenced after it."""

    sqlstate = "NB313"


class NothingToDo(BirthError):
    """NB314: there are no rows to register."""

    sqlstate = "NB314"


class AlertsGrew(BirthError):
    """NB315: new trigger guard alerts were raised during the run."""

    sqlstate = "NB315"


class GatewayMissing(BirthError):
    """NB316: the collection is in mode enforce but has no enabled gateway."""

    sqlstate = "NB316"


class RehearsalOver(BirthError):
    """NB317: the rehearsal has finished and is rolled back."""

    sqlstate = "NB317"


class OutcomeUndone(BirthError):
    """NB318: the outcome of the last batch was rolled back."""

    sqlstate = "NB318"


class DotFrozen(BirthError):
    """NB401: the operation is frozen."""

    sqlstate = "NB401"


class DotUnknown(BirthError):
    """NB402: the operation does not exist."""

    sqlstate = "NB402"


class DotDangerous(BirthError):
    """NB403: a dangerous operation stays frozen."""

    sqlstate = "NB403"


class ContractDrift(BirthError):
    """NB404: the schema does not match its release."""

    sqlstate = "NB404"


class Stage0NotEnforced(BirthError):
    """NB405: a stage 0 guard does not pass."""

    sqlstate = "NB405"


class ReleaseInProgress(BirthError):
    """NB406: a release holds the lock of the schema."""

    sqlstate = "NB406"


class ReleaseBlocked(BirthError):
    """NB407: a run is active."""

    sqlstate = "NB407"


class NotBirthNeutral(BirthError):
    """NB408: the release changed births."""

    sqlstate = "NB408"


class EvidenceKept(BirthError):
    """NB409: the downgrade would destroy evidence."""

    sqlstate = "NB409"


class ReleasePrivilege(BirthError):
    """NB410: the login lacks a privilege that a release needs."""

    sqlstate = "NB410"


class ReleaseOrder(BirthError):
    """NB411: the database is at a different release."""

    sqlstate = "NB411"


class GatewayInUse(BirthError):
    """NB412: the gateway is still attached to tables."""

    sqlstate = "NB412"


class DefinitionGuarded(BirthError):
    """NB413: the object is part of the released contract."""

    sqlstate = "NB413"


class ServerUnknown(BirthError):
    """NB414: the release has no contract for this server version."""

    sqlstate = "NB414"


class GatewayNoIdentity(BirthError):
    """NB501: a row has no entity code."""

    sqlstate = "NB501"


class GatewayForeign(BirthError):
    """NB502: the entity code of a row belongs to another collection."""

    sqlstate = "NB502"


class GatewayUnregistered(BirthError):
    """NB503: the trigger names a collection that is not registered."""

    sqlstate = "NB503"


class GatewayAttached(BirthError):
    """NB504: the gateway is already attached to the table."""

    sqlstate = "NB504"


class GatewayAbsent(BirthError):
    """NB505: the collection has no gateway."""

    sqlstate = "NB505"


class SourceClaimed(BirthError):
    """NB506: the table belongs to another collection."""

    sqlstate = "NB506"


class GatewayShadowed(BirthError):
    """NB507: a temporary relation hides the transition table of the gateway."""

    sqlstate = "NB507"


class FenceLate(BirthError):
    """NB516: a transaction that has already written cannot record the fence."""

    sqlstate = "NB516"
