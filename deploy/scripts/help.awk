# Lists the targets of the Makefile in their groups: "target: ## what it does".
BEGIN { FS = ":.*## " }
/^##@ / { printf "\n%s\n", substr($0, 5) }
/^[a-z-]+:.*## / { printf "  %-22s %s\n", $1, $2 }
END { print "" }
